"""The command line. Each command is a module of its own, imported when it is asked for: starting is fast."""

from sevtracker.cli.root import main

__all__ = ["main"]
