"""Modules: parts of a network that hold parameters, buffers and other modules as plain attributes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from xgrad.engine.persist import Place, places_in
from xgrad.engine.tensor import Tensor
from xgrad.nn import placement, saving
from xgrad.nn.parameter import Parameter
from xgrad.nn.saving import IncompatibleKeys

_hook_numbers = itertools.count()


class Module:
    """Base of all layers and networks: assign parameters and modules as attributes, and write `forward`.

    >>> import xgrad as xg
    >>> class Line(xg.nn.Module):
    ...     def __init__(self):
    ...         self.slope = xg.nn.Parameter([2.0])
    ...     def forward(self, x):
    ...         return self.slope * x
    >>> line = Line()
    >>> line(xg.asarray([1.0, 2.0])).numpy().tolist()
    [2.0, 4.0]
    >>> [name for name, _ in line.named_parameters()]
    ['slope']

    A parameter or module that is an attribute twice, here or further down, is found once. One inside a plain list or
    dict is not found: use ModuleList, or attributes of its own.
    """

    training: bool = True
    _buffers: Mapping[str, bool] = MappingProxyType({})  # the attributes that are buffers, and whether they are saved
    _forward_hooks: Mapping[int, Callable[..., Any]] = MappingProxyType({})

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no forward()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        output = self.forward(*args, **kwargs)
        if self._forward_hooks:
            for hook in tuple(self._forward_hooks.values()):
                replaced = hook(self, args, output)
                output = output if replaced is None else replaced
        return output

    def register_forward_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call `hook(module, args, output)` after each forward; what it returns, if not None, replaces the output."""
        number = next(_hook_numbers)
        self._forward_hooks = {**self._forward_hooks, number: hook}
        return HookHandle(self, number)

    # --- attributes ---

    if TYPE_CHECKING:  # parameters and modules may be attributes of any name

        def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, value: Any) -> None:
        held = vars(self).get(name)
        if isinstance(held, Parameter) and not (value is None or isinstance(value, Parameter)):
            raise TypeError(
                f"{type(self).__name__}.{name} is a parameter: it can become another Parameter or None, "
                f"not a {type(value).__name__}"
            )
        if name in self._buffers and not (value is None or isinstance(value, Tensor)):
            raise TypeError(
                f"{type(self).__name__}.{name} is a buffer: it can become a tensor or None, "
                f"not a {type(value).__name__}"
            )
        object.__setattr__(self, name, value)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """The same as assigning it, for a name that is computed."""
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"register_parameter({name!r}): expected a Parameter or None, got {type(param).__name__}")
        self._add(name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """A tensor that belongs to the module but is no parameter: it moves and (if `persistent`) is saved with it."""
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"register_buffer({name!r}): expected a tensor or None, got {type(tensor).__name__}")
        self._add(name, tensor)
        self._buffers = {**self._buffers, name: persistent}

    def add_module(self, name: str, module: Module | None) -> None:
        """The same as assigning it, for a name that is computed."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"add_module({name!r}): expected a Module or None, got {type(module).__name__}")
        self._add(name, module)

    def _add(self, name: str, value: Any) -> None:
        if not isinstance(name, str) or not name or "." in name:
            raise KeyError(f"a name within a module is a non-empty string without dots, got {name!r}")
        if hasattr(self, name) and name not in self._buffers:
            raise KeyError(f"{type(self).__name__} has an attribute {name!r} already")
        setattr(self, name, value)

    # --- what is inside ---

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes of this one, each once."""
        seen: set[int] = set()
        for name, value in vars(self).items():
            if isinstance(value, Module) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def children(self) -> Iterator[Module]:
        return (module for _, module in self.named_children())

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """This module (named `prefix`) and all below it, parents first."""
        return _walk(prefix, self, set() if remove_duplicate else None)

    def modules(self) -> Iterator[Module]:
        return (module for _, module in self.named_modules())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their dotted names: this module's own first, then those of the modules in it."""

        def own(module: Module) -> Iterable[tuple[str, Any]]:
            return [(name, value) for name, value in vars(module).items() if isinstance(value, Parameter)]

        return self._named(own, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their dotted names."""

        def own(module: Module) -> Iterable[tuple[str, Any]]:
            held = vars(module)
            return [(name, held[name]) for name in module._buffers if held.get(name) is not None]

        return self._named(own, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        return (b for _, b in self.named_buffers(recurse=recurse))

    def _named(
        self,
        own: Callable[[Module], Iterable[tuple[str, Any]]],
        prefix: str,
        recurse: bool,
        remove_duplicate: bool,
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix, remove_duplicate) if recurse else iter([(prefix, self)])
        for path, module in modules:
            for name, value in own(module):
                if remove_duplicate and id(value) in seen:
                    continue
                seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    # --- changing all of it ---

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every module below this one, then on this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set `training` here and below; layers that behave differently in training read it."""
        if not isinstance(mode, bool):
            raise ValueError(f"train(mode): expected True or False, got {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Whether the parameters collect gradients."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of the parameters, or (`set_to_none=False`) make them zero."""
        for p in self.parameters():
            grad = p.grad
            if grad is not None:
                p.grad = None if set_to_none else Tensor(p.backend.xp.zeros_like(grad.data), p.backend)

    def to(self, device: Any = None, dtype: Any = None, *, backend: Any = None) -> Self:
        """Move the parameters and buffers, in place: they stay the same objects, so optimizers need not be told.

        Args:
            device: as the backend names it.
            dtype: of the target backend, or a name such as "float32"; integer buffers keep theirs.
            backend: a name or a Backend. Gradients move too.

        Raises what the backend says of a device or name it does not know; then nothing has moved.
        """
        placement.move(self, device, dtype, backend)
        return self

    # --- saving ---

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> dict[str, Tensor]:
        """Parameters and persistent buffers by dotted name, detached (unless `keep_vars`).

        Training on does not change what it returns.
        """
        return saving.state_dict(self, prefix, keep_vars)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy in values (tensors of any backend, or arrays), cast and moved to where each parameter is.

        Raises an error, a RuntimeError and a ValueError, that lists every wrong shape, every value that is no array or of a
        kind that does not fit (complex into real), and (if `strict`) every missing or unexpected name; then nothing has
        changed. Returns the missing and the unexpected names.
        """
        return saving.load_state_dict(self, state_dict, strict)

    # --- printing ---

    def extra_repr(self) -> str:
        """What stands between the brackets."""
        return ""

    def __repr__(self) -> str:
        name, extra = type(self).__name__, self.extra_repr()
        children = [(key, value) for key, value in vars(self).items() if isinstance(value, Module)]
        if not children:
            return f"{name}({extra})"
        lines = extra.split("\n") if extra else []
        lines += [f"({key}): {value!r}" for key, value in children]
        body = "\n".join(lines).replace("\n", "\n  ")
        return f"{name}(\n  {body}\n)"


@places_in.register
def _(module: Module) -> Iterator[Place]:
    for tensor in itertools.chain(module.parameters(), module.buffers()):
        yield from places_in(tensor)


def _walk(path: str, module: Module, seen: set[int] | None) -> Iterator[tuple[str, Module]]:
    if seen is not None:
        if id(module) in seen:
            return
        seen.add(id(module))
    yield path, module
    for name, value in list(vars(module).items()):
        if isinstance(value, Module):
            yield from _walk(f"{path}.{name}" if path else name, value, seen)


class HookHandle:
    """What register_forward_hook returns."""

    def __init__(self, module: Module, number: int) -> None:
        self.module, self.number = module, number

    def remove(self) -> None:
        """Take the hook off again."""
        hooks = self.module._forward_hooks
        self.module._forward_hooks = {number: hook for number, hook in hooks.items() if number != self.number}
