"""Placeholder."""
from xgrad.compile.program import replay


class _Replayed:
    def __init__(self, program, backend):
        self.program, self.backend = program, backend

    def run(self, values, owned=None):
        found = replay(self.program, self.backend.xp, values, lambda a: a)
        return [self.backend.copy(y) if hasattr(y, "shape") else y for y in found]


def prepare(name, program, backend):
    return "replay", _Replayed(program, backend)


def check_name(name):
    pass
