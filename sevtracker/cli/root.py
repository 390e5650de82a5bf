"""``sevtracker``: the list of commands, and the one place where errors become exit codes."""

from __future__ import annotations

import importlib
from typing import Any

import click

from sevtracker import __version__
from sevtracker.errors import (
    Conflict,
    LedgerBroken,
    SevtrackerError,
    Unavailable,
)

#: Name -> where the command is, and what the list says of it (so that the list imports nothing).
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("sevtracker.cli.run:run", "Start web and worker in one process."),
    "web": ("sevtracker.cli.web:web", "Start the web alone, with several processes."),
    "worker": ("sevtracker.cli.worker:worker", "Start a worker alone."),
    "demo": ("sevtracker.cli.demo:demo", "Live through an incident with real parts, in compressed time."),
    "db": ("sevtracker.cli.db:db", "The database's schema."),
    "user": ("sevtracker.cli.people:user", "People."),
    "token": ("sevtracker.cli.people:token", "Bearer tokens for scripts."),
    "check": ("sevtracker.cli.check:check", "Checks."),
    "twins": ("sevtracker.cli.twins:twins", "Canary twins, which prove a check that never saw its door open."),
    "gate": ("sevtracker.cli.gate:gate", "May a programme run? Exit code 0 yes, 1 no, 2 can't tell."),
    "ledger": ("sevtracker.cli.ledger:ledger", "The tamper-evident record."),
    "config": ("sevtracker.cli.config:config", "The configuration."),
}

NO, USAGE = 1, 2


class Told(click.ClickException):
    """An error of ours, told without a traceback."""

    exit_code = USAGE

    def show(self, file: Any = None) -> None:
        """On standard error, as it is: it may have several lines."""
        click.echo(self.message, file=file, err=True)


class ToldNo(Told):
    """A negative answer."""

    exit_code = NO


def told(error: Exception) -> Told | None:
    """The message and exit code of ``error``; None for one that is a bug and deserves its traceback."""
    match error:
        case LedgerBroken() | Conflict() | Unavailable():
            return ToldNo(str(error))
        case SevtrackerError():
            return Told(str(error))
    if type(error).__module__ == "sqlalchemy.exc" and type(error).__name__ in ("OperationalError", "InterfaceError"):
        return Told(f"The database does not answer, or refuses us ({_first_line(error)}).")
    return None


def _first_line(error: Exception) -> str:
    """What the driver says, without statement and parameters."""
    said = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()
    return said[0] if said else type(error).__name__


class Root(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            known = told(error)
            if known is None:
                raise
            raise known from None


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="sevtracker")
def main() -> None:
    """The incident tracker that does not believe a fix until it has seen the door closed.

    The configuration is read from the file that SEVTRACKER_CONFIG names (else ./config.toml, if there is one), then
    from the environment.

    Exit codes: 0 yes or done, 1 no, 2 wrong usage or configuration.
    """
