"""How a check's present definition is proven, and what an executive may accept of it, as its page says it."""

from __future__ import annotations

from datetime import datetime

from sevtracker.actions import accepting
from sevtracker.actions.enforce import May, may
from sevtracker.checks.twins.makers import MAKERS
from sevtracker.config import Settings
from sevtracker.domain.vocabulary import Verdict, Weight
from sevtracker.store import acceptances
from sevtracker.store.session import Session
from sevtracker.store.tables import Check
from sevtracker.store.work import Person
from sevtracker.web.contexts import Acceptable, Change, Form, ProofShown
from sevtracker.web.current import runtime
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
        decides=check.weight is not Weight.informs,
        keepers=tuple(
            option for option in who.choices(settings, None, "") if option.value not in ("anonymous", check.identity)
        ),
    )


def acceptable_shown(session: Session, check: Check, person: Person, form: Form) -> Acceptable | None:
    """What this person may accept; None for whoever may not, and where there is nothing to accept."""
    if not may(person.role, May.accept_definitions) or check.decisive is not Verdict.closed:
        return None
    probes = runtime().probes
    opened = acceptances.opened_by(session, check)
    if accepting.why_not(session, probes, check, opened) is not None:
        return None
    if accepting.of_their_own(session, person, check, opened[0]) is not None:
        return None
    changes = tuple(
        Change(name, _word(values["new"]), _word(values["old"]))
        for name, values in accepting.differences(probes, opened[0], check).items()
    )
    return Acceptable(opened[0].revision, changes, form)


def _word(value: object) -> str:
    return check_form.shown(value).replace("\n", ", ") or "none"
