"""No account may be locked out by the checks that use it.

Failed sign-ins are counted for each identity at each target, whatever check made them, as the identity or the control.
Two in a row: its checks there stop before they try, with one alert. As a control it is not asked any more; those checks
go on, for they can still see an open door. Somebody who asks for a run allows one trial; if that gets in, all go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sevtracker.actions.finished import Finished
from sevtracker.domain.schedule import AUTH_FAILURES_TO_HALT
from sevtracker.domain.vocabulary import Reason
from sevtracker.store import checks, sign_ins
from sevtracker.store.sign_ins import Account, Use
from sevtracker.store.work import Work


@dataclass(frozen=True, slots=True)
class Accounts:
    """What a batch of runs tells about accounts. ``failures``: in a row, of those where that changed. ``uses``: the
    checks to stop or to wake. ``last``: whose run told."""

    failures: Mapping[Account, int]
    uses: Sequence[Use]
    last: Mapping[Account, Finished]

    @property
    def ids(self) -> list[int]:
        """The checks to be locked."""
        return [use.check_id for use in self.uses]

    @property
    def dead(self) -> set[Account]:
        """Those that are not tried any more."""
        return {account for account, number in self.failures.items() if number >= AUTH_FAILURES_TO_HALT}


def of(work: Work, finished: Sequence[Finished]) -> Accounts:
    """What these runs, whose lanes are held, tell about accounts. No statement where all is well."""
    failures: dict[Account, int] = {}
    last: dict[Account, Finished] = {}
    for f in finished:
        for identity, number in f.seen.failed_sign_ins.items():
            account = (identity, f.job.target)
            failures[account], last[account] = number, f
    dead = {account for account, number in failures.items() if number >= AUTH_FAILURES_TO_HALT}
    revived = sign_ins.halted(work.session, {account for account, number in failures.items() if not number})
    uses = [use for use in sign_ins.uses(work.session, dead | revived) if use.account in dead or use.waits]
    return Accounts(failures, uses, last)


def settle(work: Work, accounts: Accounts) -> None:
    """Keep the counts. Stop the checks of who is dead, and tell it once; wake those of who is alive again."""
    if not accounts.failures:
        return
    sign_ins.count(work.session, accounts.failures, work.now)
    dead = accounts.dead
    for account in sorted(accounts.failures):
        mine = [use.check_id for use in accounts.uses if use.account == account]
        if account in dead:
            sign_ins.stop(work.session, mine)
            _tell(work, account, accounts.last[account], mine)
        elif mine:
            sign_ins.wake(work.session, mine, work.now)
            _resumed(work, account, accounts.last[account], mine)


def _tell(work: Work, account: Account, f: Finished, stopped: Sequence[int]) -> None:
    """One record and one alert, however many checks."""
    identity, target = account
    told = {"check": f.job.check_id, "reason": Reason.auth_failed.value, "identity": identity, "target": target}
    kind = "check:halted" if f.job.identity == identity else "check:control_halted"
    dataset = checks.place(work.session, f.job.check_id).dataset
    work.record(kind, dataset=dataset, facts={**told, "stopped": list(stopped)})
    work.notify(kind, check=f.job.check_id, facts={**told, "stopped": len(stopped)})


def _resumed(work: Work, account: Account, f: Finished, woken: Sequence[int]) -> None:
    identity, target = account
    told = {"check": f.job.check_id, "identity": identity, "target": target, "woken": list(woken)}
    work.record("check:resumed", dataset=checks.place(work.session, f.job.check_id).dataset, facts=told)
