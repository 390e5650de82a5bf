"""The composition root: settings in, a Runtime out. Importing this does nothing."""

from __future__ import annotations

import hashlib
import socket

import rfc8785

from sevtracker import __version__
from sevtracker.actions.runtime import Runtime
from sevtracker.checks.probing import environment_from
from sevtracker.clock import Clock, SystemClock
from sevtracker.config import Policy, Settings
from sevtracker.store.engine import Database
from sevtracker.store.work import Stamp


def build(settings: Settings, clock: Clock | None = None) -> Runtime:
    """Everything that a process needs. Connects to nothing yet."""
    clock = clock or SystemClock()
    return Runtime(
        settings=settings,
        clock=clock,
        database=Database(settings.database),
        probes=environment_from(settings, clock),
        stamp=Stamp(__version__, socket.gethostname(), policy_revision(settings.policy)),
    )


def policy_revision(policy: Policy) -> str:
    """A hash of the policy in force, for the ledger: which rules was this judged by?"""
    return hashlib.sha256(rfc8785.dumps(policy.model_dump(mode="json"))).hexdigest()[:16]
