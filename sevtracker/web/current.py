"""What a request may ask for: the runtime that lives with the process, and its own id."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app, g

from sevtracker.actions.runtime import Runtime

_KEY = "sevtracker"


def keep_runtime(app: Flask, runtime: Runtime) -> None:
    """Say, once, which runtime this app works with."""
    app.extensions[_KEY] = runtime


def runtime() -> Runtime:
    """The runtime of the app that answers this request."""
    return cast(Runtime, current_app.extensions[_KEY])


def request_id() -> str:
    """What finds this request in the log."""
    return cast(str, g.get("request_id", ""))
