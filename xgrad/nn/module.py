"""Modules: parts of a network that hold parameters, buffers and other modules as plain attributes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, cast

import xgrad as xg
from xgrad.engine import tracing
from xgrad.engine.persist import Place, places_in
from xgrad.engine.swap import Swap
from xgrad.engine.tensor import Tensor
from xgrad.nn import placement, saving
from xgrad.nn.checks import NAMED_ERRORS, name_the_layer, part_of
from xgrad.nn.hooks import Hook, HookHandle, Hooks, added
from xgrad.nn.parameter import Parameter
from xgrad.nn.printing import indented
from xgrad.nn.saving import IncompatibleKeys


class Module:
    """The base class of layers and networks: assign parameters and modules as attributes, and write `forward`.

    A parameter or module that is an attribute twice, here or further down, is found once. One inside a plain list or dict is not
    found: use ModuleList, or attributes of its own. `training` is True until `eval()` is called.

    Raises:
        NotImplementedError: when called, for a class without `forward`.
        TypeError: for a parameter that is set to something other than a Parameter or None, or a buffer to something other than a
            tensor or None.

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

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html
    """

    training: bool = True
    _buffers: Mapping[str, bool] = MappingProxyType({})  # the attributes that are buffers, and whether they are saved
    _forward_hooks: Hooks = MappingProxyType({})
    _forward_pre_hooks: Hooks = MappingProxyType({})
    _unset: frozenset[str] = frozenset()  # the attributes that were None from the start

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes. Calling the module calls this, and then its forward hooks."""
        raise NotImplementedError(f"{type(self).__name__} has no forward()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._forward_pre_hooks:
            for hook in tuple(self._forward_pre_hooks.values()):
                args, kwargs = hook.before(self, args, kwargs)
        try:
            output = self.forward(*args, **kwargs)
        except NAMED_ERRORS as error:
            name_the_layer(self, error)
            raise
        if self._forward_hooks:
            for hook in tuple(self._forward_hooks.values()):
                output = hook.after(self, args, kwargs, output)
        return output

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Call `hook(module, args, output)` after each forward. If it returns something other than None, that is the output.

        With `with_kwargs` it is called as `hook(module, args, kwargs, output)`; with `prepend`, before the hooks that are there.
        The handle that is returned removes the hook: `handle.remove()`.
        """
        self._forward_hooks, number = added(self._forward_hooks, Hook(hook, with_kwargs), prepend)
        return HookHandle(self, "_forward_hooks", number)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Call `hook(module, args)` before each forward. If it returns something other than None, these are the arguments.

        They are a tuple, or one value that is no tuple. With `with_kwargs` it is called as `hook(module, args, kwargs)`, and
        returns a tuple and a dict, or None; with `prepend`, before the hooks that are there. The handle removes the hook.
        """
        self._forward_pre_hooks, number = added(self._forward_pre_hooks, Hook(hook, with_kwargs), prepend)
        return HookHandle(self, "_forward_pre_hooks", number)

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
        if name in self._buffers and (trace := tracing.current()) is not None and trace.writes_buffer(held, value):
            return
        if isinstance(held, Module) and not (value is None or isinstance(value, Module)):
            raise TypeError(
                f"{type(self).__name__}.{name} is a module: it can become another Module or None, "
                f"not a {type(value).__name__}"
            )
        if value is None and name not in vars(self):
            object.__setattr__(self, "_unset", self._unset | {name})
        elif name in self._unset and isinstance(value, Parameter | Module):
            vars(self).pop(name, None)  # it gets the place of one that is assigned now
            object.__setattr__(self, "_unset", self._unset - {name})
        object.__setattr__(self, name, value)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Set a parameter under a name that is computed. KeyError for a name in use, TypeError for another type."""
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"register_parameter({name!r}): expected a Parameter or None, got {type(param).__name__}")
        self._add(name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Set a buffer: a tensor that is not trained, but moves with the module and (if `persistent`) is saved with it.

        Raises KeyError for a name in use, and TypeError for another type.
        """
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"register_buffer({name!r}): expected a tensor or None, got {type(tensor).__name__}")
        self._add(name, tensor)
        self._buffers = {**self._buffers, name: persistent}

    def add_module(self, name: str, module: Module | None) -> None:
        """Set a module under a name that is computed. KeyError for a name in use, TypeError for another type."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"add_module({name!r}): expected a Module or None, got {type(module).__name__}")
        self._add(name, module)

    def _add(self, name: str, value: Any) -> None:
        if not isinstance(name, str) or not name or "." in name:
            raise KeyError(f"a name within a module is a non-empty string without dots, got {name!r}")
        if hasattr(self, name) and name not in self._buffers:
            raise KeyError(f"{type(self).__name__} has an attribute {name!r} already")
        vars(self).setdefault(name, value)  # one that is None keeps its place
        setattr(self, name, value)

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    # --- parts ---

    def get_submodule(self, target: str) -> Module:
        """The module with a dotted name, as `named_modules` gives it; "" is this one. AttributeError if there is none."""
        found: Any = self
        for name in target.split(".") if target else ():
            found = part_of(found, name, Module, "module")
        return cast("Module", found)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with a dotted name, as `named_parameters` gives it. AttributeError if there is none."""
        path, _, name = target.rpartition(".")
        return cast("Parameter", part_of(self.get_submodule(path), name, Parameter, "parameter"))

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with a dotted name, as `named_buffers` gives it. AttributeError if there is none."""
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        return cast("Tensor", part_of(owner, name if name in owner._buffers else "", Tensor, "buffer"))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes of this one, with their names, each once."""
        seen: set[int] = set()
        for name, value in vars(self).items():
            if isinstance(value, Module) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def children(self) -> Iterator[Module]:
        """The modules that are attributes of this one, each once."""
        return (module for _, module in self.named_children())

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module (named `prefix`) and all modules below it with their dotted names, parents first.

        Modules in the set `memo` are left out, and those that are given are added to it.
        """
        return _walk(prefix, self, (set() if memo is None else memo) if remove_duplicate else None)

    def modules(self) -> Iterator[Module]:
        """This module and all modules below it, parents first, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their dotted names: this module's own first, then (if `recurse`) those of the modules below it."""

        def own(module: Module) -> Iterable[tuple[str, Any]]:
            return [(name, value) for name, value in vars(module).items() if isinstance(value, Parameter)]

        return self._named(own, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of this module and (if `recurse`) of the modules below it, each once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their dotted names: this module's own first, then (if `recurse`) those of the modules below it."""

        def own(module: Module) -> Iterable[tuple[str, Any]]:
            held = vars(module)
            return [(name, held[name]) for name in module._buffers if held.get(name) is not None]

        return self._named(own, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of this module and (if `recurse`) of the modules below it, each once."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def _named(
        self,
        own: Callable[[Module], Iterable[tuple[str, Any]]],
        prefix: str,
        recurse: bool,
        remove_duplicate: bool,
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(None, prefix, remove_duplicate) if recurse else iter([(prefix, self)])
        for path, module in modules:
            for name, value in own(module):
                if remove_duplicate and id(value) in seen:
                    continue
                seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    # --- changing all parts ---

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every module below this one, then on this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set `training` of this module and of all below it. A layer that behaves differently in training reads it.

        Raises ValueError for a mode that is not True or False.
        """
        if not isinstance(mode, bool):
            raise ValueError(f"train(mode): expected True or False, got {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """The same as `train(False)`."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether the parameters collect gradients. TypeError for a parameter of integers."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of the parameters to None, or (`set_to_none=False`) to zeros."""
        for p in self.parameters():
            if set_to_none:
                p.grad = None
            elif p.grad is not None:
                p.grad = xg.zeros_like(p.grad)

    def to(
        self,
        *where: Any,
        device: Any = None,
        dtype: Any = None,
        non_blocking: bool = False,
        memory_format: Any = None,
        backend: Any = None,
    ) -> Self:
        """Move the parameters, their gradients and the buffers to another device, dtype or backend, and return this module.

        The parameters stay the same objects, so an optimizer goes on with them.

        Args:
            where: a device, a dtype, both, or a tensor whose device and dtype are taken: `to("float64")`, `to(t)`.
            device: a device of the target backend; None keeps it. "cpu" is as `cpu()`.
            dtype: a floating-point or complex dtype of the target backend, or the name of one, such as "float32". Buffers of
                integers keep theirs.
            non_blocking, memory_format: arguments of PyTorch's, without effect here.
            backend: the name of a backend, or a Backend; None keeps it.

        Raises:
            BackendError: for an unknown backend or device.
            TypeError: for another dtype. After any error nothing has moved.
        """
        device, dtype = placement.sorted_out(where, device, dtype)
        placement.move(self, placement.to(device, dtype, backend))
        return self

    def type(self, dst_type: Any) -> Self:
        """Cast all parameters and buffers, those of integers too, to a dtype or that of a name, and return this module."""
        placement.move(self, placement.cast(dst_type))
        return self

    def float(self) -> Self:
        """Cast the real floating-point parameters and buffers to float32, and return this module."""
        return self._cast("float32")

    def double(self) -> Self:
        """Cast the real floating-point parameters and buffers to float64, and return this module."""
        return self._cast("float64")

    def half(self) -> Self:
        """Cast the real floating-point parameters and buffers to float16, and return this module."""
        return self._cast("float16")

    def bfloat16(self) -> Self:
        """Cast the real floating-point parameters and buffers to bfloat16, where the library has it, and return this module."""
        return self._cast("bfloat16")

    def _cast(self, dtype: str) -> Self:
        placement.move(self, placement.cast(dtype, only_real=True))
        return self

    def cpu(self) -> Self:
        """Move the module to the host's memory: to the CPU of its library or, where that has none, to NumPy. Returns it."""
        placement.move(self, placement.to_host)
        return self

    # --- saving ---

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> dict[str, Tensor]:
        """Parameters and persistent buffers by dotted name, as tensors without a graph, or (`keep_vars`) as they are.

        Later steps of training do not change the detached ones.
        """
        return saving.state_dict(self, prefix, keep_vars)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy values into the parameters and persistent buffers, and return the missing and the unexpected names.

        Args:
            state_dict: tensors of any backend or arrays by dotted name, as `state_dict()` gives them. Each is moved and cast to
                the backend and dtype of its parameter.
            strict: whether a missing or an unexpected name is an error.

        Raises:
            StateError: a RuntimeError and a ValueError. It lists every wrong shape, every value that is no array or whose dtype
                does not fit (complex into real), and every name that `strict` forbids. After an error nothing has changed.
        """
        swap, keys = saving.prepare(self, state_dict, strict)
        swap()
        return keys

    def _prepare_load(self, state_dict: Any) -> Swap:
        """What takes over a state, and takes that back if it is called again. Raises StateError as `load_state_dict` does."""
        return saving.prepare(self, state_dict, strict=True)[0]

    # --- printing ---

    def extra_repr(self) -> str:
        """What the printed form of this module shows between the brackets."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        name, extra = self._get_name(), self.extra_repr()
        children = [(key, value) for key, value in vars(self).items() if isinstance(value, Module)]
        if not children:
            return f"{name}({extra})"
        lines = extra.split("\n") if extra else []
        return indented(name, [*lines, *(f"({key}): {value!r}" for key, value in children)])


@places_in.register
def _(module: Module) -> Iterator[Place]:
    for tensor in itertools.chain(module.parameters(), module.buffers()):
        yield from places_in(tensor)


def _walk(path: str, module: Module, seen: set[Any] | None) -> Iterator[tuple[str, Module]]:
    if seen is not None:
        if module in seen:
            return
        seen.add(module)
    yield path, module
    for name, value in list(vars(module).items()):
        if isinstance(value, Module):
            yield from _walk(f"{path}.{name}" if path else name, value, seen)
