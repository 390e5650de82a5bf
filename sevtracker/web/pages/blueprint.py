"""The blueprint that every page is registered on."""

from __future__ import annotations

from flask import Blueprint

pages = Blueprint("pages", __name__)

#: Numbers in addresses, no larger than both databases can compare.
SEV = "<int(max=2147483647):number>"
SEQ = "<int(max=2147483647):seq>"
CHECK = "<int(max=2147483647):check_id>"
PROPOSAL = "<int(max=2147483647):proposal_id>"
RUN = "<int(max=9007199254740991):run_id>"
PERSON = "<int(max=2147483647):person_id>"
SUGGESTION = "<int(max=2147483647):suggestion_id>"
WORD = "<int(max=2147483647):word_id>"
TOKEN = "<int(max=2147483647):token_id>"
