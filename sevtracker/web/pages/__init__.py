"""Every page. One file a noun: its views; where there is much to show, builders of contexts beside it.

blueprint.py   the blueprint, and the numbers in its addresses       rooms.py   all of them
showing.py     a context as an answer; going on after a POST
forms.py       what was typed, as input for an action; what was wrong with it, as a form
names.py       how pages call things; paging
sev_*.py       a SEV's page, region by region: live, headline, bar, matrix, timeline, acts, resolve
"""

from __future__ import annotations

from flask import Flask

from sevtracker.actions.runtime import Runtime
from sevtracker.web.pages.blueprint import pages
from sevtracker.web.pages.rooms import ROOMS

__all__ = ["ROOMS", "register"]


def register(app: Flask, runtime: Runtime) -> None:
    """Put every page into ``app``. They take their runtime from the request that they answer: it is ``runtime``."""
    app.register_blueprint(pages)
