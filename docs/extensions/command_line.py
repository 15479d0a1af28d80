"""The options of every command, from the program itself: a line `<!-- commands -->` becomes its help."""

from __future__ import annotations

import re
from typing import Any

import typer
from sphinx.application import Sphinx

from ridgesplines.cli import app as program

_MARKER = re.compile(r"^<!-- commands -->$", re.MULTILINE)
# An option in the text of another.
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def describe() -> str:
    """A section for each command: what it does, and a table of its arguments and options."""
    return "\n\n".join(_sections("ridgesplines", typer.main.get_command(program)))


def _sections(name: str, command: Any) -> list[str]:
    if not hasattr(command, "commands"):
        return [_section(name, command)]
    inner = sorted(command.commands.items())
    return [section for part, below in inner if not below.hidden for section in _sections(f"{name} {part}", below)]


def _section(name: str, command: Any) -> str:
    rows = [f"| {_names(parameter)} | {_words(parameter)} |" for parameter in command.params if not parameter.hidden]
    return "\n".join([f"## {name}", "", command.help or "", "", "| | |", "|---|---|", *rows])


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.name.upper()}`"
    return ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))


def _words(parameter: Any) -> str:
    words = _OPTION.sub(r"`\g<0>`", (parameter.help or "").replace("|", "\\|"))
    unset = parameter.default is None or callable(parameter.default) or isinstance(parameter.default, bool)
    return words if unset or parameter.required else f"{words} Default: `{parameter.default}`."


def _expand(app: Sphinx, document: str, source: list[str]) -> None:
    if _MARKER.search(source[0]):
        source[0] = _MARKER.sub(lambda match: describe(), source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to the events of a build."""
    app.connect("source-read", _expand)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
