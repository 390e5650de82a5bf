"""What waivers and attestations are tried with: short ways to give, revoke, attest, sign."""

from __future__ import annotations

from typing import Any

from sevtracker.actions import attestations, waivers
from sevtracker.actions.enforce import Denied
from sevtracker.actions.inputs import Attest, Sign, Waive, WithReason, parse
from sevtracker.store import facts
from sevtracker.store.facts import Case
from sevtracker.store.timeline import Item
from tests.cast import Tracker

EVIDENCE = "https://wiki.example/tape"


def waive(tracker: Tracker, check: int = 1, *, by: str = "vik", number: int = 1, **more: Any) -> int | Denied:
    given = parse(Waive, {"check": check, "reason": "the host is gone until Monday", **more})
    with tracker.work(by) as work:
        made = waivers.grant(work, tracker.settings, number, given)
        return made if isinstance(made, Denied) else made.id or 0


def revoke(tracker: Tracker, waiver: int = 1, *, by: str = "vik", number: int = 1) -> None:
    with tracker.work(by) as work:
        waivers.revoke(work, tracker.settings, number, waiver, parse(WithReason, {"reason": "changed my mind"}))


def attest(tracker: Tracker, copy: str = "tape", *, by: str = "priya", number: int = 1, **more: Any) -> int | Denied:
    raw = {"dataset": "mci-events", "copy": copy, "statement": "in the vault", "evidence": EVIDENCE, **more}
    with tracker.work(by) as work:
        made = attestations.make(work, tracker.settings, number, parse(Attest, raw))
        return made if isinstance(made, Denied) else made.id or 0


def sign(tracker: Tracker, attestation: int = 1, *, by: str = "eve", number: int = 1) -> Denied | None:
    with tracker.work(by) as work:
        made = attestations.sign(work, tracker.settings, number, attestation, parse(Sign, {}))
        return made if isinstance(made, Denied) else None


def withdraw(tracker: Tracker, attestation: int = 1, *, by: str = "priya", number: int = 1) -> None:
    with tracker.work(by) as work:
        given = parse(WithReason, {"reason": "it was read after all"})
        attestations.withdraw(work, tracker.settings, number, attestation, given)


def codes(tracker: Tracker, number: int = 1) -> list[str]:
    """What blocks resolving, now."""
    return [b.code.value for b in case(tracker, number).gate().blockers]


def case(tracker: Tracker, number: int = 1) -> Case:
    with tracker.read() as session:
        given = (tracker.settings.policy, tracker.settings.identities, tracker.clock.now())
        [found] = facts.gather(session, [tracker.sev(number)], *given)
    return found


def told(tracker: Tracker, kind: str, number: int = 1) -> Item:
    """The latest record of this kind."""
    return [item for item in tracker.timeline(number) if item.kind == kind][-1]
