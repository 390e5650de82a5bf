"""The session that a reader is handed. Doors pass it on to the functions of this room and never call it themselves."""

from __future__ import annotations

from sqlmodel import Session

__all__ = ["Session"]
