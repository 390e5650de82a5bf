"""What probing needs of the process, made from the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from sevtracker.checks.guard import Guard
from sevtracker.checks.identities import Identities
from sevtracker.checks.interface import CheckKind, Endpoint
from sevtracker.checks.keeping import Keeper
from sevtracker.checks.local import NOTHING_LOCAL, LocalRules, local_rules
from sevtracker.checks.registry import load_kinds
from sevtracker.checks.sealing import Sealer
from sevtracker.checks.sql.dialects import broken_dialects
from sevtracker.clock import Clock
from sevtracker.config import Settings, known_secret_key

_POSTGRES_PORT = 5432


@dataclass(frozen=True, slots=True)
class ProbeEnvironment:
    """What probing needs of the process. In seconds: ``deadline`` for a whole run (and once more for each canary twin
    that it looks at), ``prove_every`` for how old a proof by twins may get before it is renewed. A worker opens the
    ``keeper``."""

    kinds: Mapping[str, CheckKind[Any]]
    identities: Identities
    guard: Guard
    clock: Clock
    deadline: float = 60.0
    local: LocalRules = NOTHING_LOCAL
    keeper: Keeper = field(default_factory=Keeper)
    prove_every: float = 86_400.0
    sealer: Sealer = field(default_factory=Sealer)


def environment_from(
    settings: Settings, clock: Clock, kinds: Mapping[str, CheckKind[Any]] | None = None
) -> ProbeEnvironment:
    """The environment that ``settings`` describe. The tracker's own database becomes a place that is always refused."""
    own = (
        []
        if settings.database.is_sqlite
        else [urlsplit(settings.database.url), urlsplit(settings.database.migration_url)]
    )
    return ProbeEnvironment(
        kinds=load_kinds() if kinds is None else kinds,
        identities=Identities(settings.identities),
        guard=Guard(
            settings.targets.allow,
            [Endpoint(u.hostname or "", u.port or _POSTGRES_PORT, unquote(u.path.strip("/"))) for u in own],
        ),
        clock=clock,
        deadline=settings.worker.run_deadline.total_seconds(),
        local=local_rules(settings, broken_dialects(settings.targets.dialects)),
        prove_every=settings.policy.proving_every.total_seconds(),
        sealer=Sealer(known_secret_key(settings)),
    )
