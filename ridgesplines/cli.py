"""The command line: one command per module, and how errors and interrupts end it.

Heavy modules are imported inside the commands, so that `--help` is quick.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import ridgesplines as rs
from ridgesplines.cli_certify import certify
from ridgesplines.cli_compare import compare
from ridgesplines.cli_files import info, plot
from ridgesplines.cli_fit import fit
from ridgesplines.cli_path import path
from ridgesplines.cli_surfaces import surface
from ridgesplines.cli_train import train


class _InterruptedError(Exception):
    """Ctrl-C before there was anything to keep."""


class _Group(TyperGroup):
    """The commands; typer would end an interrupt without a word."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            raise _InterruptedError from interrupt


app = typer.Typer(
    cls=_Group,
    help="Shallow ReLU networks as ridge splines, trained to a certified global optimum.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """The entry point: errors in what was asked for are one sentence and exit code 2."""
    try:
        app(prog_name="ridgesplines")
    except (ValueError, TypeError, OSError, ImportError) as error:
        # Whatever a file or an argument made of a message: one line.
        typer.echo(f"Error: {' '.join(str(error).split())}", err=True)
        sys.exit(2)
    except MemoryError:
        typer.echo("Error: there is not enough memory for this; give fewer rows, or a lower order.", err=True)
        sys.exit(2)
    except (_InterruptedError, KeyboardInterrupt):
        typer.echo("Interrupted before there was anything to keep.", err=True)
        sys.exit(130)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"ridgesplines {rs.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


for _command in (fit, certify, train, path, compare, plot, info, surface):
    app.command()(_command)


if __name__ == "__main__":
    main()
