"""For those who run it: is the process up, is it ready, and its figures."""

from __future__ import annotations

import ipaddress
import logging
import os
from time import perf_counter

from flask import Blueprint, Response, current_app, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from sevtracker.errors import ConfigError, NotPermitted, NotSignedIn
from sevtracker.store import jobs, migrate, sevs
from sevtracker.web import auth
from sevtracker.web.current import runtime
from sevtracker.web.permissions import public

log = logging.getLogger(__name__)
operations = Blueprint("operations", __name__)
_KEY = "sevtracker_figures"


@operations.get("/healthz")
@public("says only that the process is up")
def healthz() -> Response:
    """The process is up."""
    return Response("ok\n", mimetype="text/plain")


@operations.get("/readyz")
@public("says only that requests can be served")
def readyz() -> Response:
    """The database answers, and its schema is the present one."""
    try:
        migrate.require_current(runtime().database)
    except ConfigError:
        return Response("the schema is not current\n", 503, mimetype="text/plain")
    except Exception as error:  # whatever a driver raises when nobody answers
        log.warning("not ready: %s", type(error).__name__)
        return Response("the database does not answer\n", 503, mimetype="text/plain")
    return Response("ready\n", mimetype="text/plain")


# ---- figures -----------------------------------------------------------------------------------------------------


class Figures:
    """What this process counts. With ``PROMETHEUS_MULTIPROC_DIR`` set, what all processes of the machine count."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "endpoint", "status")
        self.requests = Counter("sevtracker_requests", "Answered requests.", labels, registry=self.registry)
        self.seconds = Histogram(
            "sevtracker_request_seconds",
            "Time to answer.",
            ("endpoint",),
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30),
            registry=self.registry,
        )

    def count(self, answer: Response) -> Response:
        """After every request."""
        endpoint = request.endpoint or "none"
        self.requests.labels(request.method, endpoint, str(answer.status_code)).inc()
        if (began := g.get("began")) is not None:
            self.seconds.labels(endpoint).observe(perf_counter() - began)
        return answer

    def scraped(self) -> bytes:
        """All of it, as Prometheus reads it."""
        told = self.registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            told = CollectorRegistry()
            MultiProcessCollector(told)  # type: ignore[no-untyped-call]  # has no types
        return generate_latest(told) + generate_latest(_now())


def install(figures: Figures, app_extensions: dict[str, object]) -> None:
    """Keep ``figures`` where ``metrics`` finds them."""
    app_extensions[_KEY] = figures


@operations.get("/metrics")
@public("asks by itself for a token, or for a request from this very machine")
def metrics() -> Response:
    """Figures for Prometheus. Restricted SEVs are not counted: whoever reads figures need not know of them."""
    if not _from_here():
        try:
            auth.bearer()
        except NotSignedIn:
            raise NotPermitted("Figures are for a bearer token, or for this machine itself.") from None
    figures: Figures = current_app.extensions[_KEY]
    return Response(figures.scraped(), content_type=CONTENT_TYPE_LATEST)


def _from_here() -> bool:
    """From loopback, and not through a proxy that stands on this machine without being configured as trusted."""
    original = request.environ.get("werkzeug.proxy_fix.orig", request.environ)
    forwarded = any(original.get(name) for name in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"))
    if forwarded:
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


class _Now:
    """What is read when asked for."""

    def collect(self) -> list[GaugeMetricFamily]:
        with runtime().read() as session:
            counts, waiting = sevs.counts(session), jobs.waiting(session)
        by = GaugeMetricFamily(
            "sevtracker_sevs", "SEVs by status and exposure; restricted ones left out.", labels=["status", "exposure"]
        )
        for (status, exposure), count in counts.items():
            by.add_metric([status.value, exposure.value], count)
        return [by, GaugeMetricFamily("sevtracker_runs_queued", "Runs that wait or are under way.", value=waiting)]


def _now() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Now())
    return registry
