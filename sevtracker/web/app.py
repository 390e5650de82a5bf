"""Putting the web together, and nothing else. ``gunicorn 'sevtracker.web.app:from_environment()'`` serves it."""

from __future__ import annotations

import logging
import secrets
from time import perf_counter

from flask import Flask, Response, g
from werkzeug.middleware.proxy_fix import ProxyFix

from sevtracker.actions.runtime import Runtime
from sevtracker.config import load_settings, require_secret_key
from sevtracker.errors import ConfigError
from sevtracker.store import migrate
from sevtracker.web import api, auth, errors, operations, pages, permissions, rendering, security
from sevtracker.web.current import keep_runtime, request_id
from sevtracker.web.permissions import public
from sevtracker.wiring import build

log = logging.getLogger(__name__)


def create_app(runtime: Runtime) -> Flask:
    """The web, for ``runtime``. Connects to nothing yet."""
    app = Flask("sevtracker.web", static_folder=None, template_folder=None)
    keep_runtime(app, runtime)
    security.configure(app, runtime.settings, require_secret_key(runtime.settings))
    auth.install(app)
    errors.install(app)
    rendering.install(app)
    app.view_functions["static"] = public("styles, scripts and icons, the same for everybody")(rendering.static)
    _around(app)
    app.register_blueprint(operations.operations)
    api.register(app)
    pages.register(app, runtime)
    if hops := runtime.settings.server.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # Flask documents this way
    return app


def from_environment() -> Flask:
    """What gunicorn loads: settings, runtime, a schema that is current. Raises ConfigError, in words."""
    runtime = build(load_settings())
    try:
        migrate.require_current(runtime.database)
    except ConfigError:
        runtime.close()
        raise
    return create_app(runtime)


def _around(app: Flask) -> None:
    """What happens before and after every view, in this order."""
    figures = operations.Figures()
    operations.install(figures, app.extensions)

    @app.before_request
    def before() -> None:
        g.began, g.request_id = perf_counter(), secrets.token_hex(8)
        permissions.enforce()
        security.check_csrf()
        security.refuse_nul()

    @app.after_request
    def after(answer: Response) -> Response:
        answer.headers["X-Request-Id"] = request_id()
        if (token_id := g.pop("touch_token", None)) is not None:
            answer.call_on_close(lambda: _touch(app, token_id))
        return figures.count(security.harden(answer))


def _touch(app: Flask, token_id: int) -> None:
    with app.app_context():
        try:
            auth.touch_token(token_id)
        except Exception as error:  # the answer is out; that it was asked for can be written down next time
            log.warning("the use of a token was not written down: %s", type(error).__name__)
