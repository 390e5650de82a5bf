"""Every page with realistic contents, served by a tiny Flask app without a database: for eyes and browser tests.

``python -m tests.browser.gallery`` serves it on port 8010; ``/`` lists the pages. ``PAGES`` maps a name to a context.
The cast: Dana (reporter), Priya (commander), Marc (database engineer), Aïsha (privacy officer).
"""

# ruff: noqa: E501 - sample sentences are as long as in life.
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, Response, redirect, request

from sevtracker.domain.vocabulary import (
    COPY_KINDS,
    Exposure,
    IdentityClass,
    Level,
    PatchOutcome,
    Phase,
    Reason,
    Role,
    Status,
    SuggestionState,
    Trigger,
    Verdict,
)
from sevtracker.web import contexts as c
from sevtracker.web.rendering import install, render, static, theme_of

NOW = datetime(2026, 6, 22, 10, 42, 17, tzinfo=UTC)
MIN, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DETECTED = datetime(2026, 6, 18, 9, 10, tzinfo=UTC)
PATCH_1 = datetime(2026, 6, 18, 13, 5, tzinfo=UTC)
SEEN_OPEN = datetime(2026, 6, 22, 10, 30, tzinfo=UTC)
DANA = c.Viewer(1, "Dana Whitfield", "dana@corp.example", Role.engineer)
ADMIN = c.Viewer(9, "Olu Adeyemi", "olu@corp.example", Role.admin)

ENDPOINTS = {
    "pages.home": "/home",
    "pages.home_live": "/live",
    "pages.alarms_seen": "/alarms/seen",
    "pages.sev_list": "/sevs",
    "pages.sev_new": "/sevs/new",
    "pages.sev_file": "/sevs/file",
    "pages.sev_show": "/sevs/<int:number>",
    "pages.sev_live": "/sevs/<int:number>/live",
    "pages.sev_edit": "/sevs/<int:number>/edit",
    "pages.sev_note": "/sevs/<int:number>/notes",
    "pages.sev_note_revise": "/sevs/<int:number>/notes/<int:seq>",
    "pages.sev_patch": "/sevs/<int:number>/patches",
    "pages.sev_waive": "/sevs/<int:number>/waivers",
    "pages.sev_waiver_revoke": "/sevs/<int:number>/waivers/<int:word_id>/revoke",
    "pages.sev_attest": "/sevs/<int:number>/attestations",
    "pages.sev_attestation_sign": "/sevs/<int:number>/attestations/<int:word_id>/sign",
    "pages.sev_attestation_withdraw": "/sevs/<int:number>/attestations/<int:word_id>/withdraw",
    "pages.sev_verify": "/sevs/<int:number>/verify",
    "pages.sev_resolving": "/sevs/<int:number>/resolving",
    "pages.sev_resolve": "/sevs/<int:number>/resolve",
    "pages.sev_reopen": "/sevs/<int:number>/reopen",
    "pages.sev_dismiss": "/sevs/<int:number>/dismiss",
    "pages.sev_close": "/sevs/<int:number>/close",
    "pages.sev_retest": "/sevs/<int:number>/retest",
    "pages.sev_access_review": "/sevs/<int:number>/access-review",
    "pages.sev_sessions": "/sevs/<int:number>/sessions-handled",
    "pages.sev_viewer_add": "/sevs/<int:number>/viewers",
    "pages.sev_viewer_remove": "/sevs/<int:number>/viewers/remove",
    "pages.dataset_list": "/datasets",
    "pages.dataset_new": "/datasets/new",
    "pages.dataset_add": "/datasets/add",
    "pages.dataset_show": "/datasets/<slug>",
    "pages.dataset_edit": "/datasets/<slug>/edit",
    "pages.dataset_save": "/datasets/<slug>/save",
    "pages.copy_add": "/datasets/<slug>/copies",
    "pages.copy_save": "/datasets/<slug>/copies/<copy>/edit",
    "pages.copy_retire": "/datasets/<slug>/copies/<copy>/retire",
    "pages.check_list": "/checks",
    "pages.check_new": "/checks/new",
    "pages.check_add": "/checks/add",
    "pages.check_show": "/checks/<int:check_id>",
    "pages.check_edit": "/checks/<int:check_id>/edit",
    "pages.check_save": "/checks/<int:check_id>/save",
    "pages.check_run": "/checks/<int:check_id>/run",
    "pages.check_disable": "/checks/<int:check_id>/disable",
    "pages.check_retire": "/checks/<int:check_id>/retire",
    "pages.proposal_approve": "/checks/<int:check_id>/proposals/<int:proposal_id>/approve",
    "pages.proposal_deny": "/checks/<int:check_id>/proposals/<int:proposal_id>/deny",
    "pages.check_enable": "/checks/<int:check_id>/enable",
    "pages.suggestion_accept": "/suggestions/<int:suggestion_id>/accept",
    "pages.suggestion_dismiss": "/suggestions/<int:suggestion_id>/dismiss",
    "pages.check_twins_make": "/checks/<int:check_id>/twins",
    "pages.check_twins_drop": "/checks/<int:check_id>/twins/drop",
    "pages.run_show": "/checks/<int:check_id>/runs/<int:run_id>",
    "pages.programme_show": "/programmes/<slug>",
    "pages.sign_in": "/sign-in",
    "pages.sign_in_submit": "/sign-in/submit",
    "pages.sign_out": "/sign-out",
    "pages.welcome": "/welcome/<token>",
    "pages.welcome_submit": "/welcome/<token>/submit",
    "pages.set_password": "/set-password/<token>",
    "pages.set_password_submit": "/set-password/<token>/submit",
    "pages.account": "/account",
    "pages.account_password": "/account/password",
    "pages.token_create": "/account/tokens",
    "pages.token_revoke": "/account/tokens/<int:token_id>/revoke",
    "pages.people": "/people",
    "pages.person_add": "/people/add",
    "pages.person_role": "/people/<int:person_id>/role",
    "pages.person_deactivate": "/people/<int:person_id>/deactivate",
    "pages.person_activate": "/people/<int:person_id>/activate",
    "pages.person_link": "/people/<int:person_id>/link",
    "pages.settings": "/settings",
    "pages.theme": "/theme",
}

# ---- the MCI story -----------------------------------------------------------------------------------------------

EXPOSED_BAR = c.ExposureBar(
    start=DETECTED - 30 * MIN,
    end=NOW,
    segments=(
        c.BarSegment(Exposure.unverified, DETECTED - 30 * MIN, DETECTED + 2 * MIN),
        c.BarSegment(Exposure.exposed, DETECTED + 2 * MIN, NOW),
    ),
    marks=(
        c.BarMark("detected", DETECTED, "detected", seq=1),
        c.BarMark("patch", PATCH_1, "patch 1 claimed, failed", failed=True, seq=7),
        c.BarMark("open", PATCH_1 + 6 * MIN, "seen open again", failed=True, seq=9),
        c.BarMark("open", SEEN_OPEN, "last seen open", failed=True, seq=31),
    ),
)

COLUMNS = (
    c.MatrixColumn("any-employee", IdentityClass.staff),
    c.MatrixColumn("contractor", IdentityClass.contractor),
    c.MatrixColumn("anonymous", IdentityClass.anonymous),
    c.MatrixColumn("session from before the patch", IdentityClass.held_session),
)


def _closed(check: int, streak: int, exposure: Exposure = Exposure.verifying, **more: Any) -> c.Cell:
    return c.Cell(check, exposure, Verdict.closed, Reason.denied, NOW - 4 * MIN, streak, 6, **more)


EXPOSED_MATRIX = c.Matrix(
    COLUMNS,
    (
        c.MatrixRow(
            "mci-events",
            "primary",
            (
                (c.Cell(11, Exposure.exposed, Verdict.open, Reason.row_read, SEEN_OPEN, 0, 6),),
                (_closed(12, 4),),
                (_closed(13, 6, Exposure.verified),),
                (c.Cell(14, Exposure.uncertain, Verdict.inconclusive, Reason.auth_failed, NOW - 9 * MIN, 3, 6),),
            ),
        ),
        c.MatrixRow(
            "mci-events",
            "nightly-export",
            (
                (_closed(15, 2), c.Cell(16, Exposure.unverified, required=False, via="IPv6")),
                c.Hole(IdentityClass.contractor),
                (_closed(17, 6, Exposure.unproven),),
                (),
            ),
        ),
    ),
)

BLOCKERS = (
    c.BlockerLine(
        "open",
        "any-employee can still read mci-events/primary.",
        "Close the access and log the patch; the check has to see it closed.",
        11,
    ),
    c.BlockerLine(
        "inconclusive",
        "The latest run as held-session at mci-events/primary was inconclusive (auth_failed).",
        "Mend what keeps the check from seeing, then run it again.",
        14,
    ),
    c.BlockerLine(
        "uncovered",
        "No required check looks at mci-events/nightly-export as contractor.",
        "Add a required check for that copy.",
    ),
    c.BlockerLine(
        "access_review",
        "Nobody has recorded who accessed the data while it was exposed.",
        'Review the access logs of the exposure window. "No logs exist" is a valid answer, if stated.',
    ),
)

PATCHES = (
    c.PatchLine(
        1,
        "Revoked SELECT on tracking.events from role staff_read",
        PatchOutcome.failed,
        "Marc Oyelaran",
        PATCH_1,
        PATCH_1 - 4 * MIN,
        url="https://git.corp.example/db/grants/pull/412",
        scope=("mci-events",),
        failed_at=PATCH_1 + 6 * MIN,
        note="any-employee still reads through PUBLIC",
        seq=7,
    ),
)


def entry(
    seq: int, kind: str, at: datetime, actor: str, text: str, tone: c.EntryTone = "plain", **more: Any
) -> c.TimelineEntry:
    more.setdefault("machine", actor == "sevtracker")
    more.setdefault("recorded_at", at)
    return c.TimelineEntry(seq=seq, kind=kind, at=at, actor=actor, text=text, tone=tone, **more)


ENTRIES = (
    entry(31, "check:verdict", SEEN_OPEN, "sevtracker", "any-employee read a row of mci-events/primary.", "bad",
          check=11, run=4031),
    entry(30, "sev:resolve_refused", SEEN_OPEN - 3 * MIN, "Marc Oyelaran",
          "Tried to resolve; refused with 4 blockers.", "doubt"),
    entry(29, "note:added", SEEN_OPEN - 14 * MIN, "Priya Raman",
          "PUBLIC still holds SELECT on the schema default.\nMarc is writing the second patch.",
          revisable=True,
          revisions=(c.Revision("PUBLIC still holds SELECT.", SEEN_OPEN - 20 * MIN, "Priya Raman"),)),
    entry(24, "sev:edited", DETECTED + DAY, "Priya Raman", "Raised the level.",
          changes=(c.Change("level", "SEV1", "SEV2"), c.Change("commander", "Priya Raman", "nobody"))),
    entry(22, "note:added", DETECTED + 5 * HOUR, "שירה לוי", "הטבלה עדיין נקראת מחשבון של כל עובד.", revisable=True),
    entry(12, "check:blind", PATCH_1 + 40 * MIN, "sevtracker",
          "held-session at mci-events/primary could not tell: sign-in failed.", "doubt", check=14),
    entry(9, "patch:failed", PATCH_1 + 6 * MIN, "sevtracker", "Patch 1 failed: any-employee still got in.", "bad",
          check=11, run=3801),
    entry(7, "patch:claimed", PATCH_1, "Marc Oyelaran",
          "Patch 1: Revoked SELECT on tracking.events from role staff_read", "patch"),
    entry(4, "check:verdict", DETECTED + 2 * MIN, "sevtracker", "Reproduced: any-employee read a row.", "bad",
          check=11, run=3702),
    entry(2, "note:added", DETECTED - 10 * DAY, "Dana Whitfield", "A colleague first saw it about now.",
          recorded_at=DETECTED + 30 * MIN, backdated=True, revisable=True),
    entry(1, "sev:filed", DETECTED, "Dana Whitfield", "Filed as SEV2."),
)  # fmt: skip

GROUPS = (
    c.KindGroup("evidence", "evidence", 14, True, ("notes", "patches", "changes")),
    c.KindGroup("patches", "patches", 2, True, ("evidence", "notes", "changes")),
    c.KindGroup("notes", "notes", 4, True, ("evidence", "patches", "changes")),
    c.KindGroup("changes", "changes", 3, False, ()),
)
TIMELINE = c.Timeline(ENTRIES, GROUPS, ("evidence", "patches", "notes"), hidden=3, total=31, before="k1")
CLOCKS = c.Clocks(
    filed_at=DETECTED + 4 * MIN,
    detected_at=DETECTED,
    exposed_from=DETECTED - 10 * DAY,
    fix_claimed_at=PATCH_1,
    fix_claimed_after=PATCH_1 - DETECTED,
    gap=NOW - PATCH_1,
)
LIVE = c.SevLive(
    token="t1",
    number=7,
    key="SEV-7",
    status=Status.patched,
    exposure=Exposure.exposed,
    headline="Patch 1 failed 3 d 21 h ago. any-employee last got in 12 min ago.",
    clocks=CLOCKS,
    bar=EXPOSED_BAR,
    matrix=EXPOSED_MATRIX,
    blockers=BLOCKERS,
    patches=PATCHES,
    timeline=TIMELINE,
)
ALL = c.SevMay(edit=True, note=True, patch=True, verify=True, resolve=True, dismiss=True, viewers=True)
FACTS = c.SevFacts(
    title="Tracking database readable by all staff",
    level=Level.SEV1,
    summary="Every employee account can SELECT from tracking.events: names, badge times, screen titles. I saw it with my"
    " own account while looking for something else.",
    reporter="Dana Whitfield",
    commander="Priya Raman",
    commander_id=2,
    programmes=(c.ProgrammeRef("mci", "Model Capability Initiative", paused=True),),
    datasets=(c.Option("mci-events", "MCI events"), c.Option("mci-screens", "MCI screen captures")),
    restricted=True,
    viewers=(c.Person(4, "Aïsha Benali"), c.Person(5, "Marc Oyelaran")),
)
ACTS = (
    c.Act("retest", may=True),
    c.Act(
        "access_review",
        DETECTED + DAY,
        "Aïsha Benali",
        "No logs exist before 1 June; since then 14 readers.",
        stale=True,
    ),
    c.Act("sessions", NOW - HOUR, "Marc Oyelaran", "412 sessions ended, 3 signed links revoked."),
)
PEOPLE = (c.Option("2", "Priya Raman"), c.Option("5", "Marc Oyelaran"), c.Option("4", "Aïsha Benali"))
WAYS_IN = c.WaysIn(
    (
        c.Found(
            1, "A view that reads tracking.events as its owner is granted to 2 roles off the list.", "sql_read", "mci-events/primary",
            "postgresql://db1.corp.example:5432/hr reporting.events_by_day_and_department", "any-employee", 11, NOW - 5 * MIN,
        ),
        c.Found(2, "The sql_read check 11 looks at another copy; at replica nobody does so.", "sql_read", "mci-events/replica",
                "postgresql://db2.corp.example:5432/hr tracking.events", "any-employee", 11, NOW - 2 * HOUR),
        c.Found(3, "A partition of tracking.events is granted by itself.", "sql_read", "mci-events/primary",
                "postgresql://db1.corp.example:5432/hr tracking.events_2026_05", "any-employee", 11, NOW - DAY,
                SuggestionState.dismissed, "Dropped on 20 June with its data.", "Marc Oyelaran"),
    ),
    may_decide=True,
    forms={2: c.Form({"reason": ""}, errors={"reason": "This can't be empty."})},
)  # fmt: skip
IMPACT = (
    c.ImpactLine(31, "Audit log of db1", "mci-events/primary", 5123, NOW - 9 * MIN,
                 "2-9 who are not on the list came in, 100-999 times in all. That is what the log tells; it does not speak for the whole time.",
                 False, DETECTED - 9 * DAY, SEEN_OPEN,
                 (c.Stretch(DETECTED - 10 * DAY, DETECTED - 2 * DAY), c.Stretch(DETECTED, NOW - 9 * MIN))),
    c.ImpactLine(32, "Access log of the export", "mci-events/nightly-export", 5124, NOW - 8 * MIN,
                 "Nobody off the list came in: the log covers the whole time and shows the read that must be in it.",
                 True, None, None, (c.Stretch(DETECTED - 10 * DAY, NOW - 8 * MIN),)),
)  # fmt: skip
SEV = c.SevShow(LIVE, FACTS, ALL, ACTS, PEOPLE, ways_in=WAYS_IN, impact=IMPACT)

VERIFIED_AT = NOW - 25 * HOUR
VERIFIED_LIVE = c.SevLive(
    token="t2",
    number=7,
    key="SEV-7",
    status=Status.patched,
    exposure=Exposure.verified,
    headline="Seen closed 148 times since patch 2, by every vantage.",
    clocks=c.Clocks(
        filed_at=DETECTED + 4 * MIN,
        detected_at=DETECTED,
        fix_claimed_at=PATCH_1,
        fix_claimed_after=PATCH_1 - DETECTED,
        verified_closed_at=VERIFIED_AT,
        gap=VERIFIED_AT - PATCH_1,
        clock72=DETECTED + 96 * HOUR + 5 * HOUR,
    ),
    bar=c.ExposureBar(
        DETECTED,
        NOW,
        (
            c.BarSegment(Exposure.unverified, DETECTED, DETECTED + 2 * HOUR),
            c.BarSegment(Exposure.exposed, DETECTED + 2 * HOUR, VERIFIED_AT - HOUR),
            c.BarSegment(Exposure.unattributed, VERIFIED_AT - HOUR, VERIFIED_AT),
            c.BarSegment(Exposure.verifying, VERIFIED_AT, NOW - HOUR),
            c.BarSegment(Exposure.verified, NOW - HOUR, NOW),
        ),
        (
            c.BarMark("detected", DETECTED, "detected", seq=1),
            c.BarMark("patch", PATCH_1, "patch 1 claimed, failed", failed=True, seq=7),
            c.BarMark("open", PATCH_1 + 6 * MIN, "seen open again", failed=True, seq=9),
            c.BarMark("patch", VERIFIED_AT - 10 * MIN, "patch 2 claimed", seq=40),
            c.BarMark("verified", VERIFIED_AT, "first counted closed", seq=41),
        ),
    ),
    matrix=c.Matrix(
        COLUMNS,
        (c.MatrixRow("mci-events", "primary", tuple((_closed(11 + i, 6, Exposure.verified),) for i in range(4))),),
    ),
    patches=(
        c.PatchLine(2, "Revoked SELECT from PUBLIC on schema tracking; default privileges changed", PatchOutcome.held,
                    "Marc Oyelaran", VERIFIED_AT - 10 * MIN, VERIFIED_AT - 12 * MIN),
        *PATCHES,
    ),
    timeline=TIMELINE,
)  # fmt: skip

WIDE = tuple(
    c.MatrixColumn(f"{name}-{i}", kind)
    for i, (name, kind) in enumerate(
        [("any-employee", IdentityClass.staff), ("contractor", IdentityClass.contractor)] * 3, start=1
    )
)
MANY_MATRIX = c.Matrix(
    WIDE,
    tuple(
        c.MatrixRow(
            "a-dataset-with-quite-a-long-short-name",
            copy,
            tuple((_closed(100 + 10 * r + i, i, needed_as),) for i, needed_as in enumerate([Exposure.verifying] * 6)),
        )
        for r, copy in enumerate(("primary", "search-index-of-the-reporting-warehouse"))
    ),
)
LONG = (
    "Überlange Überschrift: the quarterly compensation export of every subsidiary, including national identity numbers and"
    " bank details, was left in a bucket that any contractor can list – סיכום בעברית بالعربية 要約 🚪"
)
FRESH = c.SevShow(
    c.SevLive(
        token="t3",
        number=128,
        key="SEV-128",
        status=Status.reported,
        exposure=Exposure.unverified,
        headline="Filed just now. No check has answered yet.",
        clocks=c.Clocks(NOW - MIN, NOW - MIN),
        bar=c.ExposureBar(NOW - MIN, NOW, (c.BarSegment(Exposure.unverified, NOW - MIN, NOW),),
                          (c.BarMark("filed", NOW - MIN, "filed"),)),
        blockers=(c.BlockerLine("no_check", "No required check of this SEV can see access closed.",
                                "Add a check that can see the exposure; people's word alone never resolves."),
                  c.BlockerLine("no_patch", "No patch has been logged.", "Log the patch that closed the access.")),
        timeline=c.Timeline((entry(901, "sev:filed", NOW - MIN, "Dana Whitfield", "Filed as SEV0."),), GROUPS[:1], total=1),
    ),
    c.SevFacts(LONG, Level.SEV0, "", "Dana Whitfield"),
    ALL,
    next_steps=(
        c.NextStep("Reproduce it", "Add a check that sees the door open; what was never seen open can't be seen closed.",
                   "/checks/new"),
        c.NextStep("Name a commander", "Somebody has to hold the thread.", "#edit"),
        c.NextStep("Say since when", "It sets the exposure window.", "#edit", done=True),
    ),
    people=PEOPLE,
)  # fmt: skip
MANY = c.SevShow(
    c.SevLive(
        token="t4",
        number=9,
        key="SEV-9",
        status=Status.resolved,
        exposure=Exposure.watching,
        headline="Resolved 2 d ago. Watched every hour.",
        clocks=c.Clocks(NOW - 9 * DAY, NOW - 9 * DAY, None, NOW - 8 * DAY, DAY, NOW - 3 * DAY, NOW - 2 * DAY, 5 * DAY),
        bar=VERIFIED_LIVE.bar,
        matrix=MANY_MATRIX,
        patches=VERIFIED_LIVE.patches,
        timeline=TIMELINE,
    ),
    c.SevFacts(LONG, Level.SEV3, "", "Marc Oyelaran", resolution="Bucket made private; keys rotated."),
    c.SevMay(note=True, reopen=True, close=True),
)
REFUSED_FORM = c.SevShow(
    LIVE,
    FACTS,
    ALL,
    ACTS,
    PEOPLE,
    forms={
        "patch": c.Form(
            {"url": "javascript:alert(1)", "summary": ""},
            errors={"summary": "Say what was done.", "url": "A link starts with http:// or https://."},
        )
    },
    revising=ENTRIES[2],
)

# ---- home --------------------------------------------------------------------------------------------------------

HOME_LIVE = c.HomeLive(
    token="h1",
    exposed=(
        c.HomeSev(7, "SEV-7", FACTS.title, Level.SEV1, Status.patched, Exposure.exposed, DETECTED, DETECTED - 10 * DAY,
                  SEEN_OPEN, 4, (1,), NOW - PATCH_1, commander="Priya Raman", restricted=True),
        c.HomeSev(128, "SEV-128", LONG, Level.SEV1, Status.reported, Exposure.exposed, NOW - HOUR, NOW - 2 * HOUR,
                  NOW - 4 * MIN, 2, clock72=NOW + 61 * HOUR),
        c.HomeSev(9, "SEV-9", "Screen captures readable by a vendor", Level.SEV2, Status.resolved, Exposure.exposed,
                  NOW - 9 * DAY, NOW - 9 * DAY, NOW - 30 * MIN, commander="Marc", exceptions=1),
    ),
    closing=(
        c.HomeSev(11, "SEV-11", "Payroll export readable through a stale share link", Level.SEV2, Status.patched,
                  Exposure.flapping, NOW - 6 * DAY, None, NOW - 5 * HOUR, 3, (1, 2), 4 * DAY, 3, 8,
                  clock72=NOW - 3 * HOUR, commander="Aïsha Benali"),
        c.HomeSev(12, "SEV-12", "Badge log visible to one contractor team", Level.SEV3, Status.patched,
                  Exposure.verifying, NOW - 5 * HOUR, None, NOW - 4 * HOUR, 1, (), 3 * HOUR, 2, 3, commander="Marc"),
        c.HomeSev(13, "SEV-13", "Interview notes in the warehouse", Level.SEV2, Status.investigating,
                  Exposure.no_patch, NOW - DAY, NOW - DAY, NOW - 20 * HOUR, 2),
        c.HomeSev(14, "SEV-14", "Backup bucket: is it public?", Level.SEV2, Status.reported, Exposure.unverified,
                  NOW - 40 * MIN, blockers=3),
        c.HomeSev(10, "SEV-10", "Old VPN profile still reads the wiki dump", Level.SEV2, Status.patched,
                  Exposure.verified, NOW - 3 * DAY, None, NOW - 2 * DAY, 1, (), DAY, 4, 4, commander="Dana Whitfield"),
    ),
    alarms=(
        c.Alarm("Patch unverified", "SEV-11 patch 3: no check has decided for 34 min.", NOW - 4 * MIN, 11, ids=("n1",)),
        c.Alarm("Sign-in failed twice", "contractor-probe is stopped so that its account isn't locked.", NOW - HOUR),
    ),
    paused=(c.PausedProgramme("mci", "Model Capability Initiative", DETECTED + 2 * HOUR, "Until SEV-7 is verified closed."),),
    blind=(c.BlindCheck(14, "mci-events as held-session", "mci-events/primary", "held-session", Reason.auth_failed,
                        NOW - 40 * MIN, 7),),
    watching=23,
    checks=148,
    last_run_at=NOW - 12 * timedelta(seconds=1),
)  # fmt: skip

# ---- lists -------------------------------------------------------------------------------------------------------

_TITLES = (
    FACTS.title,
    "Payroll export readable through a stale share link",
    LONG,
    "Backup bucket answers anonymous GET",
    '<script>alert(1)</script> & "quotes"',
    "قاعدة بيانات الموظفين متاحة للجميع",
)


def sev_rows(count: int) -> tuple[c.SevRow, ...]:
    """``count`` rows that use every level, status and exposure."""
    return tuple(
        c.SevRow(
            number=900 - i,
            key=f"SEV-{900 - i}",
            title=_TITLES[i % len(_TITLES)],
            level=list(Level)[i % 5],
            status=list(Status)[i % 6],
            exposure=list(Exposure)[i % 12],
            filed_at=NOW - i * 7 * HOUR,
            datasets=("mci-events", "payroll-export, payroll-archive", "")[i % 3],
            restricted=i % 7 == 0,
            exceptions=i % 3 if list(Status)[i % 6] in (Status.resolved, Status.closed) else 0,
        )
        for i in range(count)
    )


OPTIONS = (c.Option("mci-events", "MCI events"), c.Option("payroll-export", "Payroll export"))
PROGRAMMES = (c.Option("mci", "Model Capability Initiative"),)
DATASET_OPTIONS = (
    c.DatasetOption("mci-events", "MCI events", "Model Capability Initiative", 2, 7),
    c.DatasetOption("payroll-export", "Payroll export", "", 1, 0),
    *(c.DatasetOption(f"warehouse-{i:02}", f"Warehouse table {i}", "Analytics", 1, i % 4) for i in range(14)),
)
REFS = tuple(c.SevRef(r.number, r.key, r.title, r.level, r.status, r.exposure, r.filed_at) for r in sev_rows(4))
DATASET_ROWS = (
    c.DatasetRow(
        "mci-events", "MCI events", "Aïsha Benali", "Model Capability Initiative", 2, 7, 1, Exposure.exposed, 1
    ),
    c.DatasetRow("payroll-export", "Payroll export", "", "", 1, 0, 0),
    c.DatasetRow("badge-log", "Badge log", "Facilities", "Offices", 3, 6, 2, Exposure.verifying),
)
CHECKS = (
    c.CheckLine(11, "Any employee reads MCI events", "sql_read", "mci-events/primary", "any-employee",
                IdentityClass.staff, True, True, Verdict.open, Reason.row_read, SEEN_OPEN, True),
    c.CheckLine(12, "Contractor reads MCI events", "sql_read", "mci-events/primary", "contractor",
                IdentityClass.contractor, True, True, Verdict.closed, Reason.denied, NOW - 4 * MIN, True),
    c.CheckLine(14, "Held session", "sql_read", "mci-events/primary", "held-session", IdentityClass.held_session, True,
                True, Verdict.inconclusive, Reason.auth_failed, NOW - 9 * MIN, True),
    c.CheckLine(16, "Data browser over IPv6, which has a name of some length", "http", "mci-events/primary",
                "anonymous", IdentityClass.anonymous, False, False, Verdict.closed, Reason.signin_redirect, NOW - DAY),
    c.CheckLine(18, "Just added", "http", "badge-log/primary", "anonymous", IdentityClass.anonymous, True),
)  # fmt: skip


def runs(count: int) -> tuple[c.RunLine, ...]:
    """``count`` runs, newest first: open at first, blind for a while, then closed, then open again."""
    made = []
    for i in range(count):
        kind = "open" if i < 2 or i > count * 0.7 else "inconclusive" if 18 < i < 24 else "closed"
        reason = {"open": Reason.row_read, "closed": Reason.denied, "inconclusive": Reason.timeout}[kind]
        made.append(
            c.RunLine(4031 - i, Verdict(kind), reason, SEEN_OPEN - i * 10 * MIN, 41.7 + i % 9, "got in", 2 if i < 40 else 1,
                      Trigger.schedule if i % 5 else Trigger.verify, 7 if i < 40 else None, 1 if i < 30 else None)
        )  # fmt: skip
    return tuple(made)


#: Where a check's canary twins are, and who may have made them.
TWINS = (c.Change("open", "table = sevtracker_twins.open_12"), c.Change("locked", "table = sevtracker_twins.locked_12"))
KEEPERS = (c.Option("dba", "dba", "service"), c.Option("privacy-team", "privacy-team", "control"))
PROVEN = c.ProofShown(None, NOW - 2 * HOUR, NOW + 166 * HOUR, twins=TWINS, keeper="dba", can_be_made=True)
FAILED_TWINS = c.ProofShown(
    twins=TWINS, keeper="dba", wrong="the locked twin was open (row read), and should be closed: this is no proof"
)
MAKE_TWINS = c.ProofShown(can_be_made=True, keepers=KEEPERS)
KEEPER_REFUSED = c.Form(
    {"keeper": "dba"},
    problem="At the target, dba could not create the schema (42501). It lacks the right to. Nothing was changed.",
)


def check_show(check: c.CheckLine, count: int, proof: c.ProofShown | None = None, **more: Any) -> c.CheckShow:
    history = runs(count)
    return c.CheckShow(
        check=check,
        locator="postgresql://db1.corp.example:5432/hr tracking.events",
        control="privacy-team" if count else None,
        interval=10 * MIN,
        next_run_at=NOW + 6 * MIN if count else None,
        revision=2,
        definition=(
            c.Change("url", "postgresql://db1.corp.example:5432/hr"),
            c.Change("table", "tracking.events"),
            c.Change("sensitive_columns", "employee_id, screen_title"),
            c.Change("timeout", "5s"),
        ),
        strip=tuple(reversed(history)),
        runs=history[:12],
        revisions=(
            c.CheckRevision(2, NOW - 7 * HOUR, "Priya Raman", (c.Change("table", "tracking.events", "tracking.event"),),
                            "The name was misspelt.", True),
            c.CheckRevision(1, DETECTED, "Dana Whitfield"),
        ),
        dataset="mci-events",
        copy="primary",
        sevs=REFS[:1] if count else (),
        proof=proof or c.ProofShown(DETECTED if check.proven else None),
        may_edit=True,
        may_run=True,
        before="k9" if count else None,
        **more,
    )  # fmt: skip


PROPOSALS = (
    c.CheckProposal(
        3,
        "Marc Oyelaran",
        NOW - HOUR,
        2,
        (
            c.Change("enabled", "no", "yes"),
            c.Change("url", "postgresql://db2.corp.example:5432/hr", "postgresql://db1.corp.example:5432/hr"),
        ),
        "It pages at night, and the patch is in.",
        may_decide=True,
    ),
    c.CheckProposal(2, "Dana Whitfield", NOW - 2 * HOUR, 2, (), "The replica is gone.", retires=True),
)
KINDS = (
    c.KindChoices(
        "They decide",
        "Each tries the door. A SEV is resolved on what these saw closed.",
        (
            c.Option("http", "http", "A web address, as nobody or with a token: does it serve what it should not?"),
            c.Option(
                "sql_read",
                "sql_read",
                "A table in PostgreSQL or MariaDB: can this identity read a row or a sensitive column?",
            ),
        ),
    ),
    c.KindChoices(
        "They inform",
        "They tell what happened, and never keep a SEV open.",
        (c.Option("access_log", "access_log", "A log: who else came in?"),),
    ),
)
PARAMS = (
    c.ParamField("url", "Database URL", "Without user and password.", "url", True, "postgresql://dana:pw@db1/hr",
                 "Leave user and password out: the identity has them."),
    c.ParamField("table", "Table", "schema.table", "text", True, "tracking.events"),
    c.ParamField("sensitive_columns", "Sensitive columns", "Each is tried by itself.", "list", False, "employee_id\nscreen_title"),
    c.ParamField("method", "Method", "", "select", False, "GET", "", (c.Option("GET", "GET"), c.Option("HEAD", "HEAD"))),
    c.ParamField("timeout", "Timeout", "Seconds.", "number", False, "5"),
    c.ParamField("rls_is_fix", "Row-level security is the fix", "Then zero rows count as denied.", "bool"),
)  # fmt: skip
IDENTITIES = (
    c.Option("anonymous", "anonymous", "nobody signed in"),
    c.Option("any-employee", "any-employee", "staff"),
    c.Option("privacy-team", "privacy-team", "control"),
)
CHECK_NEW = c.CheckEdit(
    KINDS,
    "sql_read",
    None,
    "",
    PARAMS,
    OPTIONS,
    (c.Option("primary", "primary"),),
    IDENTITIES,
    c.Form(
        {"dataset": "mci-events", "identity": "any-employee", "required": "true"},
        errors={
            "params.url": "Leave user and password out: the identity has them.",
            "control": "Choose who must get in.",
        },
    ),
    twin_example="table = canaries.readable",
)
FILING = c.Form(
    {"title": "", "level": "SEV9", "exposed_from": "2026-06-08T09:00", "summary": "I typed <b>this</b> & want to keep it.",
     "new_dataset_slug": "MCI Events", "restricted": "yes"},
    {"dataset": ("mci-events", "warehouse-03")},
    {"title": "Say in one line what is wrong.", "level": "Choose one of SEV0 to SEV4.",
     "new_dataset_slug": "Lower case letters, digits and dashes only."},
)  # fmt: skip
RESOLVE = c.SevResolve(7, "SEV-7", FACTS.title, Level.SEV1, Status.patched, Exposure.verified,
                       final_runs=tuple(c.FinalRun(11 + i, "mci-events/primary", x.identity) for i, x in enumerate(COLUMNS)))  # fmt: skip
REFUSED = c.SevResolve(
    7, "SEV-7", FACTS.title, Level.SEV1, Status.patched, Exposure.exposed, BLOCKERS,
    tuple(c.FinalRun(11 + i, "mci-events/primary", x.identity, Verdict.open if i == 0 else Verdict.closed,
                     Reason.row_read if i == 0 else Reason.denied, NOW) for i, x in enumerate(COLUMNS)),
    True, c.Form({"summary": "Revoked from the role."}),
)  # fmt: skip
# ---- exceptions: one waived vantage, one attested copy; an executive looks --------------------------------------

WAIVERS = (
    c.WaiverLine(
        2,
        11,
        "any-employee at mci-events/primary",
        "The vendor ships the patched driver on Monday; until then the host is cut off from the office network.",
        "Priya Raman",
        NOW - 3 * HOUR,
        NOW + 4 * DAY,
        knew_open=True,
        revocable=True,
    ),
    c.WaiverLine(
        1,
        14,
        "held-session at mci-events/primary",
        LONG,
        "Priya Raman",
        NOW - 3 * DAY,
        NOW - HOUR,
        trouble="has expired",
        over=True,
    ),
)
ATTESTATIONS = (
    c.AttestationLine(
        2,
        "mci-events/nightly-export",
        "The exports of June were deleted from the share; the share itself is gone.",
        "https://wiki.corp.example/exports",
        (("Aïsha Benali", NOW - HOUR),),
        NOW + 29 * DAY,
        trouble="needs two different people",
        signable=True,
        withdrawable=True,
    ),
    c.AttestationLine(
        1,
        "mci-events/tape",
        "Tape 14 lies in the vault; nobody has signed it out since March.",
        "https://wiki.corp.example/vault/" + "x" * 90,
        (("Aïsha Benali", NOW - DAY), ("Marc Oyelaran", NOW - 2 * HOUR)),
        NOW + 29 * DAY,
        withdrawable=True,
    ),
)
EXCEPTIONS = (
    c.ExceptionLine("any-employee at mci-events/primary", True, NOW + 4 * DAY, 11),
    c.ExceptionLine("mci-events/tape", False, NOW + 29 * DAY),
)
EXCEPTION_MATRIX = c.Matrix(
    COLUMNS,
    (
        c.MatrixRow(
            "mci-events",
            "primary",
            (
                (replace(EXPOSED_MATRIX.rows[0].cells[0][0], waived_until=NOW + 4 * DAY),),  # type: ignore[index,type-var]  # a vantage, as built above
                *((_closed(12 + i, 6, Exposure.verified),) for i in range(3)),
            ),
        ),
        c.MatrixRow(
            "mci-events",
            "tape",
            (c.Hole(IdentityClass.staff, NOW + 29 * DAY), (), c.Hole(IdentityClass.contractor), ()),
        ),
    ),
)
WORD_FORMS = c.WordForms(
    (
        c.Option("11:open", "any-employee at mci-events/primary", "its door is open"),
        c.Option("12:shut", "contractor at mci-events/primary", "verified"),
    ),
    (
        c.Option("mci-events/nightly-export", "mci-events/nightly-export"),
        c.Option("mci-events/tape", "mci-events/tape"),
    ),
    waive_until="2026-06-29T10:42",
    attest_until="2026-07-22T10:41",
)
EXCEPTED_LIVE = replace(
    LIVE,
    token="t3",
    status=Status.resolved,
    headline="Resolved with 2 exceptions 3 h ago. The first ends on 2026-06-26 at 10:42 UTC.",
    matrix=EXCEPTION_MATRIX,
    blockers=(),
    exceptions=EXCEPTIONS,
    waivers=WAIVERS,
    attestations=ATTESTATIONS,
)
EXCEPTED = c.SevShow(EXCEPTED_LIVE, FACTS, c.SevMay(edit=True, note=True, reopen=True, close=True), words=WORD_FORMS)
WAIVING = c.SevShow(
    replace(
        LIVE,
        token="t4",
        blockers=tuple(
            replace(b, waive=b.check is not None, attest=b.code == "uncovered", place="mci-events/x") for b in BLOCKERS
        ),
        waivers=WAIVERS[1:],
        attestations=ATTESTATIONS[:1],
    ),
    FACTS,
    ALL,
    forms={
        "waive": c.Form({"reason": "", "check": "11:open"}, errors={"reason": "This can't be empty."}),
        "attest": c.Form(
            {"evidence": "in my head"}, errors={"evidence": "This has to be a link that starts with https://."}
        ),
    },
    words=replace(WORD_FORMS, check="11:open", revoke=WAIVERS[0], sign=ATTESTATIONS[0], withdraw=ATTESTATIONS[1]),
)
PERSON_ROWS = (
    c.PersonRow(1, "Dana Whitfield", "dana@corp.example", Role.engineer, True),
    c.PersonRow(2, "Priya Raman", "priya@corp.example", Role.executive, True),
    c.PersonRow(
        4, "Aïsha Benali", "aisha.benali.with.a.long.address@subsidiary.corp.example", Role.auditor, True, False
    ),
    c.PersonRow(6, "Tom Left", "tom@corp.example", Role.engineer, False),
)
ERRORS = {
    400: (
        "That request makes no sense to us",
        "The form had expired or was cut short. Go back, load the page again and resend.",
    ),
    403: ("Not yours to do", "Your role may read this, not change it."),
    404: ("No such page", "There is nothing here, or nothing that you may know of."),
    409: (
        "Its state does not allow this",
        "This SEV is dismissed; to patch it, it has to be investigating or patched.",
    ),
    413: ("Too large", "The most we take is 1.0 MiB."),
    422: ("Something typed is wrong", "title: say in one line what is wrong."),
    429: ("Too many tries", "Signing in as this person is held back for a moment."),
    500: ("We failed", "The error is logged. Nothing was half saved."),
    503: ("Not ready", "The database did not answer in time."),
}

PAGES: dict[str, c.PageContext] = {
    "home": c.Home(HOME_LIVE),
    "home-calm": c.Home(c.HomeLive("h2", watching=23, checks=148, last_run_at=NOW - 5 * MIN)),
    "home-first-step": c.Home(c.HomeLive("h3"), first_step=True, datasets=1),
    "sev": SEV,
    "sev-verified": c.SevShow(VERIFIED_LIVE, FACTS, ALL, (ACTS[2],), PEOPLE),
    "sev-fresh": FRESH,
    "sev-many": MANY,
    "sev-refused-form": REFUSED_FORM,
    "sev-read-only": c.SevShow(LIVE, FACTS),
    "sev-excepted": EXCEPTED,
    "sev-waiving": WAIVING,
    "sev-list": c.SevList(sev_rows(25), datasets=OPTIONS, programmes=PROGRAMMES, cursor=c.Cursor(None, "k2")),
    "sev-list-filtered": c.SevList(
        (), c.SevFilters("nothing", (Status.reported,), (Level.SEV0, Level.SEV1), (Exposure.exposed,), "mci-events"), OPTIONS
    ),
    "sev-list-empty": c.SevList(()),
    "sev-new": c.SevNew(DATASET_OPTIONS),
    "sev-new-refused": c.SevNew(DATASET_OPTIONS, FILING),
    "sev-new-no-dataset": c.SevNew(()),
    "resolve": RESOLVE,
    "resolve-refused": REFUSED,
    "resolve-excepted": replace(RESOLVE, exceptions=EXCEPTIONS, final_runs=(replace(RESOLVE.final_runs[0], waived=True), *RESOLVE.final_runs[1:])),
    "dataset-list": c.DatasetList(DATASET_ROWS, may_add=True),
    "dataset-list-empty": c.DatasetList((), may_add=True),
    "dataset": c.DatasetShow(
        "mci-events", "MCI events", "Aïsha Benali", c.ProgrammeRef("mci", "Model Capability Initiative", True), "personal data",
        "What each employee's machine sends: badge times, window titles, key counts.", ("employee_id", "badge_time"),
        (c.CopyBlock("primary", "primary", "db1.corp.example/hr", CHECKS[:4]), c.CopyBlock("nightly-export", "export", "")),
        REFS, True, COPY_KINDS,
    ),
    "dataset-new": c.DatasetEdit(form=c.Form({"slug": "A B"}, errors={"slug": "Lower case letters, digits and dashes only."}),
                                 programmes=PROGRAMMES, classifications=("personal data",)),
    "dataset-edit": c.DatasetEdit("mci-events", "MCI events", c.Form({"name": "MCI events"})),
    "check-list": c.CheckList(CHECKS, may_add=True),
    "check-list-empty": c.CheckList((), may_add=True),
    "check": check_show(CHECKS[0], 120),
    "check-closed": check_show(CHECKS[1], 17, queued=True),
    "check-blind": check_show(CHECKS[2], 60),
    "check-proposals": check_show(CHECKS[1], 17, proposals=PROPOSALS),
    "check-on-twins": check_show(CHECKS[1], 17, PROVEN),
    "check-twins-failed": check_show(CHECKS[1], 17, FAILED_TWINS),
    "check-twins-make": check_show(CHECKS[1], 17, MAKE_TWINS, twins_form=KEEPER_REFUSED),
    "check-stopped": check_show(
        CHECKS[3],
        60,
        target="db1.corp.example:5432",
        halted=True,
        lockouts=(
            c.Lockout("held-session", NOW - 9 * MIN, False, 41),
            c.Lockout("privacy-team", NOW - DAY, True),
        ),
    ),
    "check-not-run": check_show(CHECKS[4], 0),
    "check-new": c.CheckEdit(KINDS),
    "check-new-kind": CHECK_NEW,
    "check-edit": c.CheckEdit(KINDS, "sql_read", 11, "Any employee reads MCI events", PARAMS, identities=IDENTITIES,
                              form=c.Form({"identity": "any-employee", "control": "privacy-team",
                                           "twins.open": "table = canaries.readable", "twins.locked": "tabel = canaries.locked"},
                                          errors={"twins.locked": "tabel: Extra inputs are not permitted."}),
                              gates_own_patch=True, twin_example="table = canaries.readable"),
    "run": c.RunShow(
        CHECKS[1], runs(9)[5],
        (c.PhaseStep(Phase.connect, True, "Connected to db1.corp.example:5432.", 3.1, "contractor"),
         c.PhaseStep(Phase.self_test, True, "Signed in, and is who it should be.", 8.4, "contractor"),
         c.PhaseStep(Phase.target, False, "The database refused to read the table.", 2.2, "contractor"),
         c.PhaseStep(Phase.control, True, "Read a row at the same place.", 12.9, "privacy-team")),
        "The contractor was denied at the table itself, while the privacy team read it in the same run.",
        "An open door, seen once.",
        (c.Counted(7, "only 3 min after the one counted before it, and 6 min 40 s are asked for"), c.Counted(5)),
    ),
    "programme": c.ProgrammeShow("mci", "Model Capability Initiative", "paused", True, DETECTED, "", DATASET_ROWS, REFS),
    "sign-in": c.SignIn(form=c.Form({"email": "dana@corp.example"}, problem="Email and password do not match.")),
    "welcome": c.Welcome("abc"),
    "set-password": c.SetPassword("abc", "Aïsha Benali", "aisha@corp.example"),
    "account": c.Account((c.TokenLine(1, "deploy script", NOW - 9 * DAY, NOW - HOUR), c.TokenLine(2, "laptop", NOW - DAY)),
                         "sevt_9f8e7d6c5b4a39281706f5e4d3c2b1a0example", "laptop"),
    "people": c.People(PERSON_ROWS, True, link=c.OneTimeLink("Aïsha Benali", "https://sev.corp.example/set-password/" + "x" * 43,
                                                             NOW + DAY)),
    "people-read-only": c.People(PERSON_ROWS),
    "settings": c.Settings((
        c.SettingGroup("server", (c.SettingRow("host", "127.0.0.1"), c.SettingRow("secret_key", "set", "environment"))),
        c.SettingGroup("policy.SEV1", (c.SettingRow("interval", "10m", "config.toml", "How often each check runs."),
                                       c.SettingRow("soak", "24h"))),
    )),
    **{f"error-{s}": c.ErrorPage(s, t, d, "01J0ZK3V9Q", 30 if s == 429 else None) for s, (t, d) in ERRORS.items()},
}  # fmt: skip

#: Pages of someone who is not signed in, and of an admin. Everyone else is Dana.
OUTSIDE = frozenset({"sign-in", "welcome", "set-password"})
ADMINS = frozenset({"people", "settings"})


def chrome(name: str, theme: c.Theme = "auto") -> c.Chrome:
    viewer = None if name in OUTSIDE else ADMIN if name in ADMINS else DANA
    flashes = (c.Flash("done", "The link was made."),) if name == "people" else ()
    return c.Chrome(NOW, viewer, theme, f"/page/{name}", "", flashes, "0.1.0")


CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)


def make_app() -> Flask:
    """The gallery: ``/page/NAME``, every endpoint of the real pages as a stub, the real static files, the strict CSP."""
    app = Flask("gallery", static_folder=None)
    app.jinja_env.globals["csrf_token"] = lambda: "gallery"
    for endpoint, path in ENDPOINTS.items():
        app.add_url_rule(path, endpoint, _stub(endpoint), methods=["GET", "POST"])
    install(app)

    @app.get("/")
    def index() -> str:
        return "<ul>" + "".join(f'<li><a href="/page/{name}">{name}</a>' for name in PAGES) + "</ul>"

    @app.get("/favicon.ico")
    def favicon() -> Response:
        return static("favicon.ico")

    @app.get("/page/<name>")
    def page(name: str) -> Response:
        answer = Response(render(PAGES[name], chrome(name, theme_of(request.cookies.get("theme")))))
        answer.headers["Content-Security-Policy"] = CSP
        return answer

    return app


def _stub(endpoint: str) -> Callable[..., Any]:
    def answer(**_: Any) -> Any:
        if endpoint == "pages.theme":
            back = redirect(request.form["next"], 303)
            back.set_cookie("theme", request.form["theme"], samesite="Lax")
            return back
        if endpoint == "pages.sev_live" and request.args.get("since") == "t1":
            return render(c.SevLivePage(VERIFIED_LIVE), chrome("sev"))
        if endpoint.endswith("_live"):
            return "", 204
        return endpoint

    return answer


if __name__ == "__main__":
    make_app().run(port=8010, threaded=True)
