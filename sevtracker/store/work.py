"""A transaction for writing, with what belongs into it: who does it, when, and the records that tell of it.

``record()`` and ``notify()`` are the only ways to say that something happened; both are kept until the block ends, then
written as the last statements before the commit, so that the chain's lock is held for a moment only. Nothing that is
called with a Work commits.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import uuid_utils
from sqlmodel import Session

from sevtracker.clock import as_utc
from sevtracker.domain.ledger import MACHINE, Actor, Entry, Evidence, commitment, nfc
from sevtracker.domain.vocabulary import Role
from sevtracker.store import ledger
from sevtracker.store.engine import Database
from sevtracker.store.tables import Notice


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whose eyes a read is for. Every query about SEVs takes one."""

    person_id: int
    role: Role

    @property
    def sees_restricted(self) -> bool:
        """Executives and auditors see restricted SEVs without being added."""
        return self.role in (Role.executive, Role.auditor)


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts: the person, and how they came in (``web``, ``api``, ``cli``, ``slack``)."""

    id: int
    pid: str
    role: Role
    via: str
    auth_time: str | None = None

    @property
    def viewer(self) -> Viewer:
        return Viewer(self.id, self.role)

    @property
    def actor(self) -> Actor:
        return Actor(pid=self.pid, role=self.role.value, via=self.via, auth_time=self.auth_time)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every record of this process carries: version, node, and the hash of the policy in force."""

    app_version: str
    node: str
    policy_rev: str


@dataclass(slots=True)
class Work:
    """One transaction. ``person`` is None when the tracker itself acts; ``now`` was read once, at its start."""

    session: Session
    now: datetime
    person: Person | None
    stamp: Stamp
    drafts: list[ledger.Draft] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    idem: str | None = None

    @property
    def actor(self) -> Actor:
        return self.person.actor if self.person else MACHINE

    @property
    def by(self) -> Person:
        """The person who acts. Only for acts that a person does."""
        if self.person is None:
            raise RuntimeError("this act needs a person")
        return self.person

    def record(  # noqa: PLR0913  # what a record has
        self,
        kind: str,
        *,
        sev: int | None = None,
        dataset: str | None = None,
        programme: str | None = None,
        at: datetime | None = None,
        text: str | None = None,
        facts: Mapping[str, Any] | None = None,
        evidence: Sequence[Evidence] = (),
    ) -> str:
        """Say that ``kind`` happened, at event time ``at`` (default: now). Returns the record's id.

        ``facts`` are ids, words and numbers; names and free text go into ``text``, which is kept beside the record.
        """
        salt = secrets.token_bytes(32) if text is not None else None
        entry = Entry(
            id=str(uuid_utils.uuid7()),
            kind=kind,
            at=as_utc(at or self.now),
            ts=self.now,
            actor=self.actor,
            sev=sev,
            dataset=dataset,
            programme=programme,
            facts=facts,
            text_c=commitment(salt, text) if salt is not None and text is not None else None,
            evidence=tuple(evidence),
            policy_rev=self.stamp.policy_rev,
            idem=self.idem,
            app_version=self.stamp.app_version,
            node=self.stamp.node,
        )
        self.drafts.append(ledger.Draft(entry, salt, nfc(text) if text is not None else None))
        return entry.id

    def notify(self, kind: str, *, sev: int | None = None, check: int | None = None, facts: Mapping[str, Any]) -> None:
        """Queue a notice for every route. In this version there is one: the tracker's own home page."""
        self.notices.append(
            Notice(
                id=str(uuid_utils.uuid7()),
                kind=kind,
                route="home",
                sev_number=sev,
                check_id=check,
                facts=dict(facts),
                created_at=self.now,
                sent_at=self.now,
            )
        )


@contextmanager
def working(database: Database, *, now: Callable[[], datetime], person: Person | None, stamp: Stamp) -> Iterator[Work]:
    """Open a transaction for ``person``; commit it, with its records and notices, when the block ends well."""
    with database.writing() as session:
        session.connection()  # begin now: what waits for the write lock must not read the time before it has it
        work = Work(session, now(), person, stamp)
        yield work
        session.add_all(work.notices)
        session.flush()
        ledger.append(session, work.drafts, log=database.log(session), is_sqlite=database.is_sqlite)
    for call in work.after_commit:
        call()
