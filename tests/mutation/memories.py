"""What functions and objects of the project keep of work done once.

It may not outlive a change. Nor may a test find it there that another test has left behind: the lines that made it
would count as passed by that other test alone, and only it would judge them.
"""

import gc
import sys
from dataclasses import fields, is_dataclass
from functools import cache
from functools import cached_property as of_python
from pathlib import Path
from typing import Any

from django.utils.functional import cached_property as of_django

ROOT, HERE = str(Path.cwd()), str(Path(__file__).parent)


class Memories:
    """Every function under `cache` and every object that keeps something, as far as they live now."""

    def __init__(self) -> None:
        self.functions, self.objects = [], []
        for one in gc.get_objects():
            if type(one).__name__ == "_lru_cache_wrapper":
                file = file_of(one.__wrapped__)
                if file.startswith(ROOT) and not file.startswith(HERE):
                    self.functions.append(one)
            elif _keeps(type(one)):
                self.objects.append(one)

    def forget(self) -> None:
        """Let all of them work out anew what they keep."""
        for function in self.functions:
            function.cache_clear()
        for one in self.objects:
            worked_out, collected = _keeps(type(one))
            for name in worked_out:
                vars(one).pop(name, None)
            for name in collected:
                if name in vars(one):
                    vars(one)[name].clear()


@cache
def _keeps(kind: type) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The cached properties of a class, and the dictionaries that its objects begin empty and fill themselves."""
    module = sys.modules.get(str(vars(kind).get("__module__")))
    if not str(getattr(module, "__file__", "")).startswith(ROOT):
        return None
    worked_out = tuple(
        name
        for base in kind.__mro__
        for name, value in vars(base).items()
        if isinstance(value, of_python | of_django)
    )
    own = fields(kind) if is_dataclass(kind) else ()
    collected = tuple(one.name for one in own if not one.init and one.default_factory is dict)
    return (worked_out, collected) if worked_out or collected else None


def file_of(function: Any) -> str:
    """The file a function was written in."""
    return str(getattr(getattr(function, "__code__", None), "co_filename", ""))
