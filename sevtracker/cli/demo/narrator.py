"""What the terminal says: who did what, what has to be seen now, and whether it was."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

import click

from sevtracker.clock import Clock

T = TypeVar("T")
_WIDTH = 96
_INDENT = " " * 9
_LOOK_EVERY_S = 0.1


class NotSeen(Exception):
    """The story can't go on: what had to be seen was not, in time."""


class Narrator:
    """Tells the story with the time since its beginning, and keeps count of what was seen and what was not."""

    def __init__(self, clock: Clock, *, fast: bool) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self._fast = fast
        self.seen = 0

    def chapter(self, title: str) -> None:
        click.echo()
        click.secho(f"{self._time()}  {title}", bold=True)

    def says(self, text: str) -> None:
        """A step that somebody takes."""
        click.echo(textwrap.fill(text, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT))

    def lists(self, lines: Iterable[str]) -> None:
        for line in lines:
            click.echo(textwrap.fill(line, _WIDTH, initial_indent=f"{_INDENT}  · ", subsequent_indent=f"{_INDENT}    "))

    def expects(self, what: str, look: Callable[[], T | None], within: float) -> T:
        """Look until there is something, and say how long it took. Raises NotSeen after ``within`` seconds."""
        began = self._clock.monotonic()
        while True:
            found = look()
            took = self._clock.monotonic() - began
            if found:
                self.seen += 1
                click.echo(f"{self._time()}    {click.style('✓', fg='green')} {what} ({took:.1f} s)")
                return found
            if took > within:
                click.echo(f"{self._time()}    {click.style('✗', fg='red')} {what}: not seen within {within:.0f} s")
                raise NotSeen(what)
            time.sleep(_LOOK_EVERY_S)

    def rests(self, seconds: float) -> None:
        """Time to look at the browser; none in a hurry."""
        if not self._fast:
            time.sleep(seconds)

    def _time(self) -> str:
        minutes, seconds = divmod(int(self._clock.monotonic() - self._began), 60)
        return f"  {minutes:02}:{seconds:02}"
