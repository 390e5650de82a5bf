"""Waiving and attesting through a SEV's page, and taking either back."""

from __future__ import annotations

from werkzeug.wrappers import Response as AnyResponse

from sevtracker.actions import attestations, waivers
from sevtracker.actions.enforce import Denied, May
from sevtracker.actions.inputs import Attest, Sign, Waive, WithReason
from sevtracker.store.work import Work
from sevtracker.web.current import runtime
from sevtracker.web.pages import forms
from sevtracker.web.pages.acting import on_sev
from sevtracker.web.pages.blueprint import SEV, WORD, pages
from sevtracker.web.permissions import allow

_AT = "exceptions"


@pages.post(f"/sevs/{SEV}/waivers")
@allow(May.grant_waivers)
def sev_waive(number: int) -> AnyResponse:
    """What the page showed of the door comes along: whoever waives it knows what they waive."""
    check, _, seen = forms.text("check").partition(":")
    shown = {"open": True, "shut": False}.get(seen)

    def act(work: Work, given: Waive) -> str | Denied:
        made = waivers.grant(work, runtime().settings, number, given)
        return made if isinstance(made, Denied) else f"Waived until {made.expires_at:%Y-%m-%d %H:%M} UTC."

    raw = forms.only(check=check, expires_at=forms.moment("expires_at"), open=shown)
    return on_sev(number, "waive", Waive, raw | {"reason": forms.text("reason")}, act, anchor=_AT)


@pages.post(f"/sevs/{SEV}/waivers/{WORD}/revoke")
@allow(May.grant_waivers)
def sev_waiver_revoke(number: int, word_id: int) -> AnyResponse:
    def act(work: Work, given: WithReason) -> str:
        waivers.revoke(work, runtime().settings, number, word_id, given)
        return "The waiver is revoked: what it let through counts again."

    return on_sev(number, "revoke", WithReason, {"reason": forms.text("reason")}, act, anchor=_AT)


@pages.post(f"/sevs/{SEV}/attestations")
@allow(May.work_on_sevs)
def sev_attest(number: int) -> AnyResponse:
    dataset, _, copy = forms.text("place").partition("/")

    def act(work: Work, given: Attest) -> str | Denied:
        made = attestations.make(work, runtime().settings, number, given)
        return made if isinstance(made, Denied) else "Attested. It counts once a second person has signed it."

    raw = {"statement": forms.text("statement"), "evidence": forms.text("evidence").strip()}
    raw |= forms.only(dataset=dataset, copy=copy, expires_at=forms.moment("expires_at"))
    fields = {"dataset": "place", "copy": "place", "copy_": "place"}
    return on_sev(number, "attest", Attest, raw, act, fields=fields, anchor=_AT)


@pages.post(f"/sevs/{SEV}/attestations/{WORD}/sign")
@allow(May.work_on_sevs)
def sev_attestation_sign(number: int, word_id: int) -> AnyResponse:
    def act(work: Work, given: Sign) -> str | Denied:
        made = attestations.sign(work, runtime().settings, number, word_id, given)
        return made if isinstance(made, Denied) else "Signed. You stand for it, too."

    return on_sev(number, "sign", Sign, {"reason": forms.text("reason")}, act, anchor=_AT)


@pages.post(f"/sevs/{SEV}/attestations/{WORD}/withdraw")
@allow(May.work_on_sevs)
def sev_attestation_withdraw(number: int, word_id: int) -> AnyResponse:
    def act(work: Work, given: WithReason) -> str:
        attestations.withdraw(work, runtime().settings, number, word_id, given)
        return "The attestation is withdrawn."

    return on_sev(number, "withdraw", WithReason, {"reason": forms.text("reason")}, act, anchor=_AT)
