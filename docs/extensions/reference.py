"""The reference of all public names, from their docstrings, which are Markdown as far as backticks go.

In a page, a line `<!-- names: losses, problem -->` becomes the entries of all public names that live in these modules,
and `<!-- module: kernels -->` those of a public module's own names.
"""

from __future__ import annotations

import importlib
import inspect
import re
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import ridgesplines

_MARKER = re.compile(r"^<!-- (names|module): (.*?) -->$", re.MULTILINE)
# Code between backticks, or a character that means something in reStructuredText: a bar, a star that starts no item of
# a list, an underscore at the end of a word.
_SPECIAL = re.compile(r"(``.+?``|:\w+:`[^`]+`|`[^`]+`)|(?<!\\)(\||(?<=\S)\*|\*(?=\S)|(?<=\w)_(?!\w))", re.DOTALL)
# Stands for a colon while napoleon reads; of the private use area, so that no docstring has it.
_COLON = "\ue000"


def homes() -> dict[str, str]:
    """The public names that are no modules, and the module each lives in, in the order of `__all__`."""
    return {name: ridgesplines._HOMES[name] for name in ridgesplines.__all__ if name in ridgesplines._HOMES}


def names_in(modules: list[str]) -> list[str]:
    """The public names that live in one of these modules or below, in the order of the modules."""
    return [
        name for module in modules for name, home in homes().items() if home == module or home.startswith(f"{module}.")
    ]


def names_of(module: ModuleType) -> list[str]:
    """A module's own names: those in its `__all__`, or else the public functions and classes that it defines."""
    if hasattr(module, "__all__"):
        return [name for name in module.__all__ if callable(getattr(module, name))]
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
    ]


def shown(page: str) -> list[str]:
    """The names, with dots, that a page's markers stand for."""
    found = []
    for kind, words in _MARKER.findall(page):
        entries = [word.strip() for word in words.split(",")]
        if kind == "names":
            found += names_in(entries)
        else:
            found += [f"{entry}.{name}" for entry in entries for name in names_of(_module(entry))]
    return found


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"ridgesplines.{name}")


def _entry(name: str) -> str:
    value: Any = ridgesplines
    for part in name.split("."):
        value = getattr(value, part)
    directive = "autoclass" if inspect.isclass(value) else "autofunction" if callable(value) else "autodata"
    members = "\n   :members:" if directive == "autoclass" else ""
    return f"```{{eval-rst}}\n.. {directive}:: ridgesplines.{name}{members}\n```\n"


def _expand(app: Sphinx, document: str, source: list[str]) -> None:
    def entries(match: re.Match[str]) -> str:
        return "\n".join(map(_entry, shown(match[0])))

    source[0] = _MARKER.sub(entries, source[0])


def _hide_colons(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Keep napoleon from reading a type before the colon in a sentence about a property or a returned value."""
    returns = False
    for i, line in enumerate(lines):
        if not line.startswith(" "):
            returns = line in ("Returns:", "Yields:")
        if (returns and line.startswith(" ")) or (i == 0 and what in ("property", "attribute", "data")):
            lines[i] = line.replace(":", _COLON)


def _escape(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Make a docstring reStructuredText: its bars, stars and underscores are those of formulas."""
    text = "\n".join(lines).replace(_COLON, ":")
    text = _SPECIAL.sub(lambda match: match[1] or "\\" + match[2], text)
    # A plural, `Sample`s, ends the code where the backtick is.
    text = re.sub(r"((?<!`)`[^`\n]+`)(?=[\w])", r"\1\\ ", text)
    lines[:] = text.split("\n")


def _skip(app: Sphinx, what: str, name: str, value: Any, skip: bool, options: Any) -> bool | None:
    """Leave out what another library adds to a class, such as scikit-learn's requests for metadata."""
    module = getattr(value, "__module__", None) or ""
    return True if module.partition(".")[0] in ("sklearn", "abc", "dataclasses") else None


def _resolve(app: Sphinx, environment: BuildEnvironment, node: pending_xref, content: nodes.TextElement) -> Any:
    """A public name is known by its last part, wherever its module is."""
    name = node["reftarget"].rpartition(".")[2] if node.get("refdomain") == "py" else ""
    if name not in homes():
        return None
    domain = environment.domains["py"]
    return domain.resolve_xref(environment, node["refdoc"], app.builder, "obj", f"ridgesplines.{name}", node, content)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to the events of a build."""
    app.connect("source-read", _expand)
    app.connect("autodoc-process-docstring", _hide_colons, priority=400)  # before napoleon looks for sections
    app.connect("autodoc-process-docstring", _escape, priority=600)  # after napoleon has found the sections
    app.connect("autodoc-skip-member", _skip)
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
