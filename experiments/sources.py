"""The version of the code that an experiment's numbers depend on: a hash of the sources, the package's and its own."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import inspect
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import ridgesplines

_PACKAGE = Path(inspect.getfile(ridgesplines)).parent
# What these do reaches figures only, and modules called `draw` likewise.
_NO_NUMBERS = frozenset({"experiments", "experiments.style", "experiments.experiment"})


def module_of(function: Callable[..., Any]) -> str:
    """The name of the module that a function was written in."""
    while isinstance(function, partial):
        function = function.func
    return function.__module__


@cache
def code_version(modules: frozenset[str]) -> str:
    """A hash of the package, of `modules`, and of all that they import from the folders that they lie in."""
    digest = hashlib.sha256(_package_version().encode())
    for name, file in sorted(_closure(modules).items()):
        digest.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@cache
def _package_version() -> str:
    digest = hashlib.sha256()
    for file in sorted(_PACKAGE.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts and file.suffix not in (".nbi", ".nbc", ".pyc"):
            digest.update(file.relative_to(_PACKAGE).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _closure(modules: frozenset[str]) -> dict[str, Path]:
    families = {name.split(".")[0] for name in modules}
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found or name in _NO_NUMBERS or name.endswith(".draw"):
            continue
        file = _file(name)
        if file is not None:
            found[name] = file
            waiting += [other for other in _imports(file) if other.split(".")[0] in families]
    return found


def _file(name: str) -> Path | None:
    """The source of a module; None of what is no module, such as a function that is imported from one."""
    try:
        specification = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if specification is None or specification.origin is None or not specification.origin.endswith(".py"):
        return None
    return Path(specification.origin)


def _imports(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names
