"Probabilistic price paths for Bittensor subnet 50: parts, training, scoring, answers."
__version__ = "0.1.0"

import ast as _ast
import functools as _functools
import importlib as _importlib
import re as _re
import sys as _sys
from pathlib import Path as _Path


@_functools.lru_cache(1)
def _index():
    "Public name -> module that defines it, read from each module's `__all__` without importing it."
    from ._modidx import d
    index = {}
    for module in d["syms"]:
        file = _Path(__file__).parent.joinpath(*module.split(".")[1:]).with_suffix(".py")
        listed = _re.search(r"^__all__ = (\[.*?\])", file.read_text(encoding="utf-8"), _re.S | _re.M)
        index.update(dict.fromkeys(_ast.literal_eval(listed[1]), module))
    return index


def __getattr__(name):
    if name == "__all__":
        return sorted(_index())
    if name.startswith("_") or name not in _index():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_importlib.import_module(_index()[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*(k for k in globals() if k[:1] != "_"), *_index()})


class _Ancestor:
    "Says what to write instead of `import osa`; asked only where no installed package has that name."
    def find_spec(self, name, path=None, target=None):
        if name not in ("osa", "open_synth_miner"):
            return None
        raise ModuleNotFoundError(
            f"No module named {name!r}. It is the ancestor of this package: write `import synth_miner as {name}`, or let "
            "`synth-miner mode=migrate path=<file>` rewrite the file; tutorials/coming_from_osa has the table", name=name)


if not any(type(f).__name__ == "_Ancestor" for f in _sys.meta_path):
    _sys.meta_path.append(_Ancestor())
