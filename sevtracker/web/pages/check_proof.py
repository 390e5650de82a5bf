"""How a check's present definition is proven, as its page says it."""

from __future__ import annotations

from datetime import datetime

from sevtracker.checks.twins.makers import MAKERS
from sevtracker.config import Settings
from sevtracker.domain.vocabulary import Weight
from sevtracker.store.tables import Check
from sevtracker.web.contexts import Change, ProofShown
from sevtracker.web.pages import check_form, who


def proof_shown(check: Check, reproduced_at: datetime | None, settings: Settings, now: datetime) -> ProofShown:
    """The proof of the present definition; what stands against one; and what can be done about that."""
    until = None if check.proved_at is None else check.proved_at + settings.policy.proof_valid
    twins = check.twins or {}
    return ProofShown(
        seen_open_at=reproduced_at,
        twins_at=check.proved_at,
        twins_until=until,
        ended=until is not None and until < now,
        wrong=check.twins_wrong or "",
        twins=tuple(Change(which, check_form.twin_text(twins[which], ", ")) for which in ("open", "locked") if twins),
        keeper=str((check.twins_made or {}).get("keeper", "")),
        can_be_made=check.kind in MAKERS and (check.twins is None or check.twins_made is not None),
        decides=check.weight is Weight.decides,
        keepers=tuple(
            option for option in who.choices(settings, None, "") if option.value not in ("anonymous", check.identity)
        ),
    )
