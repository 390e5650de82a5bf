"""The events that a vantage's state is folded from: runs, edits and proofs of its check, patches of its SEV."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from sevtracker.domain.exposure import Accepted, Edited, Event, Patched, Ran, TwinsProven, VantageState
from sevtracker.domain.vocabulary import Verdict
from sevtracker.store.tables import (
    BY_TWINS,
    Check,
    CheckAcceptance,
    CheckProof,
    CheckRevision,
    Dataset,
    Patch,
    Run,
    Sev,
    table,
)

_K, _D, _R = table(Check), table(Dataset), table(Run)

Story = tuple[VantageState, list[Event]]


def stories(
    session: Session, sev: Sev, check_ids: Sequence[int], window: timedelta, proof_valid: timedelta
) -> dict[int, Story]:
    """For each check: the state that its story starts from, and the events of the story, for this SEV.

    The story starts ``window`` before the SEV was reported, or at its first patch if that was earlier. From before
    that, only five things count: which definitions had been reproduced, what twins proved within ``proof_valid``,
    what was seen last, whose own last word is open, and which definitions an executive accepted. A SEV that is only
    being filed has no number, and no patch. Two statements, three if a patch has a scope; one if the
    SEV is being filed.
    """
    if not check_ids:
        return {}
    connection = session.connection()
    patches = [] if sev.number is None else _patches(connection, sev.number)
    since = min([sev.reported_at - window, *(p.at for p, _ in patches)])
    found = _histories(connection, check_ids, since, since - proof_valid)
    dataset_of = _datasets(connection, check_ids) if any(scope for _, scope in patches) else {}
    for check_id, (_, events) in found.items():
        events += [
            dataclasses.replace(patch, in_scope=not scope or dataset_of[check_id] in scope) for patch, scope in patches
        ]
    return found


def _patches(connection: sa.Connection, number: int) -> list[tuple[Patched, list[str]]]:
    p = table(Patch)
    statement = sa.select(p.c.number, p.c.applied_at, p.c.datasets).where(p.c.sev_number == number)
    return [(Patched(row.applied_at, row.number), row.datasets) for row in connection.execute(statement)]


def _datasets(connection: sa.Connection, check_ids: Sequence[int]) -> dict[int, str]:
    statement = sa.select(_K.c.id, _D.c.slug).join(_D, _D.c.id == _K.c.dataset_id).where(_K.c.id.in_(check_ids))
    return {row.id: row.slug for row in connection.execute(statement)}


_REVISION, _PROOF, _ACCEPTANCE, _RUN, _OPEN = "revision", "proof", "acceptance", "run", "open"


def _history() -> sa.CompoundSelect[Any]:
    """What happened to checks, as rows of (what, check, number, at, word, revision, twins). One statement, built once
    (see ``_HISTORY``). Of a revision, the sixth says whether it is looser."""
    asked: sa.BindParameter[Any] = sa.bindparam("check_ids", expanding=True)
    since = sa.bindparam("since", type_=_R.c.started_at.type)
    proofs_since = sa.bindparam("proofs_since", type_=_R.c.started_at.type)
    v, p, a = table(CheckRevision), table(CheckProof), table(CheckAcceptance)

    def runs(*which: sa.ColumnElement[bool]) -> sa.Select[Any]:
        word = sa.type_coerce(_R.c.verdict, sa.String).label("word")
        what = sa.literal(_RUN).label("what")
        return sa.select(what, _R.c.check_id, _R.c.id, _R.c.started_at, word, _R.c.revision, sa.literal("")).where(
            *which
        )

    before = (
        sa.select(_R.c.id)
        .where(_R.c.check_id == _K.c.id, _R.c.started_at < since, _R.c.verdict != Verdict.inconclusive)
        .order_by(_R.c.started_at.desc())
        .limit(1)
        .correlate(_K)
        .scalar_subquery()
    )
    return sa.union_all(
        sa.select(
            sa.literal(_REVISION).label("what"),
            v.c.check_id,
            v.c.revision.label("number"),
            v.c.at,
            v.c.fingerprint.label("word"),
            sa.cast(v.c.looser, sa.Integer).label("revision"),
            sa.func.coalesce(sa.cast(v.c.twins, sa.Text), ""),
        ).where(v.c.check_id.in_(asked)),
        sa.select(
            sa.literal(_PROOF).label("what"),
            p.c.check_id,
            sa.literal(0),
            p.c.at,
            p.c.fingerprint + " " + p.c.how,
            sa.literal(0),
            sa.literal(""),
        ).where(p.c.check_id.in_(asked), sa.or_(p.c.how != BY_TWINS, p.c.at >= proofs_since)),
        sa.select(
            *(sa.literal(_ACCEPTANCE), a.c.check_id, a.c.revision, a.c.at),
            *(a.c.fingerprint, a.c.revision, sa.literal("")),
        ).where(a.c.check_id.in_(asked)),
        runs(_R.c.check_id.in_(asked), _R.c.started_at >= since),
        runs(_R.c.id.in_(sa.select(before).where(_K.c.id.in_(asked)))),
        sa.select(
            *(sa.literal(_OPEN), _K.c.id, sa.literal(0), _K.c.created_at, sa.cast(_K.c.left_open, sa.Text)),
            *(sa.literal(0), sa.literal("")),
        ).where(_K.c.id.in_(asked)),
    )


_HISTORY = _history()


def _histories(
    connection: sa.Connection, check_ids: Sequence[int], since: datetime, proofs_since: datetime
) -> dict[int, Story]:
    found: dict[int, Story] = {check_id: (VantageState(), []) for check_id in check_ids}
    asked = {"check_ids": list(check_ids), "since": since, "proofs_since": proofs_since}
    rows = [tuple(row) for row in connection.execute(_HISTORY, asked)]
    fingerprints: dict[tuple[int, int], str] = {}
    for what, check_id, number, at, word, looser, twins in sorted(rows, key=lambda row: row[3]):
        state, events = found[check_id]
        if what == _REVISION:
            fingerprints[check_id, number] = word
            named = hashlib.sha256(twins.encode()).hexdigest()[:16] if twins else ""
            events.append(Edited(at, word, named, bool(looser)))
        elif what == _OPEN:
            # As it is now: what the story itself tells is told again, and each definition's last word is its last.
            left_open: dict[str, bool] = json.loads(word)
            held = tuple(d for d, looser_since in left_open.items() if looser_since)
            found[check_id] = (dataclasses.replace(state, open_by=tuple(left_open), held=held), events)
        elif what == _PROOF:
            fingerprint, how = word.split(" ")
            if how == BY_TWINS:
                events.append(TwinsProven(at, fingerprint))
            elif at < since:
                reproduced = (*state.reproduced, fingerprint)
                found[check_id] = (dataclasses.replace(state, reproduced=reproduced), events)
    for _, check_id, revision, at, word, _, _ in (row for row in rows if row[0] == _ACCEPTANCE):
        edited = [
            row[3]
            for row in rows
            if row[:2] == (_REVISION, check_id) and row[2] > revision and fingerprints[check_id, row[2]] != word
        ]
        # Its time is behind the run that it is about, hence can be ahead of the edit that ended it.
        ended = min(edited, default=None)
        found[check_id][1].append(Accepted(at if ended is None else min(at, ended - timedelta(microseconds=1)), word))
    runs = (row for row in rows if row[0] == _RUN)
    for _, check_id, _, at, word, revision, _ in sorted(
        runs, key=lambda row: row[2]
    ):  # as stored, whatever the clock did
        found[check_id][1].append(Ran(at, Verdict(word), fingerprints[check_id, revision]))
    return found
