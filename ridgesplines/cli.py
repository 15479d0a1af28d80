"""The command line: one command per module, and how errors and interrupts end it.

Heavy modules are imported inside the commands, so that `--help` is quick.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import ridgesplines as rs
from ridgesplines.cli_certify import certify
from ridgesplines.cli_fit import fit
from ridgesplines.cli_surfaces import surface

app = typer.Typer(
    help="Shallow ReLU networks as ridge splines, trained to a certified global optimum.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """The entry point: errors in what was asked for are one sentence and exit code 2."""
    try:
        app()
    except (ValueError, TypeError, OSError, ImportError) as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
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


for _command in (fit, certify, surface):
    app.command()(_command)


if __name__ == "__main__":
    main()
