"""What a kind has to remember exactly, such as a count, is kept sealed: the tracker's database shows no number."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

_LABEL = b"sevtracker: what checks remember, 1\n"


class Sealer:
    """Seals plain JSON with a key made of the tracker's secret key; without one, with a key of this process alone.

    What another key sealed can't be read, which is as if nothing were remembered. ``repr`` shows nothing.
    """

    def __init__(self, secret: str | None = None) -> None:
        seed = secret.encode() if secret else secrets.token_bytes(32)
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(_LABEL + seed).digest()))

    def seal(self, value: Any) -> str:
        """``value`` as text that tells nothing."""
        return self._fernet.encrypt(json.dumps(value, separators=(",", ":")).encode()).decode("ascii")

    def opened(self, sealed: object) -> Any:
        """What was sealed, or None."""
        try:
            return json.loads(self._fernet.decrypt(str(sealed)))
        except (InvalidToken, ValueError):
            return None
