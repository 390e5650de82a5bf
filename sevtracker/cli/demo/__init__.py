"""``sevtracker demo``: an incident lived through with real parts, in compressed time.

command.py   the command        story.py    what happens, and what has to be seen
parts.py     the tracker        postgres.py, browser.py   the targets
client.py    the JSON API, as any script would use it      narrator.py   what the terminal says
"""

from sevtracker.cli.demo.command import demo

__all__ = ["demo"]
