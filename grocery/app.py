"""The application factory."""

import click
from flask import Flask

from grocery import (
    access_log,
    answers,
    api,
    auth,
    bulk,
    commands,
    cors,
    counting,
    db,
    demo,
    doctor,
    draining,
    errors,
    faults,
    figures,
    health,
    lanes,
    limits,
    logs,
    metrics,
    migrating,
    notify,
    orders,
    process,
    products,
    queues,
    relay,
    replica,
    storefront,
    tracing,
    web,
)
from grocery.auth.access import admin_required, current_person
from grocery.auth.hashing import HASHING_PATHS
from grocery.auth.holders import find_holder
from grocery.auth.service import find_admin_emails
from grocery.auth.subscribers import count_subscribers, find_subscribers
from grocery.config import Settings, load_settings
from grocery.engines import Engines
from grocery.extensions import migrate
from grocery.serving import cli as serving
from grocery.storefront.busy import busy_pages
from grocery.stream import cli as stream
from grocery.swagger import bp as swagger


def create_app(config: Settings | None = None) -> Flask:
    """Build the application; raises ConfigError when a setting is missing or wrong. Connects to nothing yet."""
    settings = config or load_settings()
    app = Flask(__name__, static_folder=None)
    app.config.update({name.upper(): value for name, value in vars(settings).items()})
    app.extensions["settings"] = settings
    # A FLASK_DEBUG that somebody left in the environment must not count where customers are.
    app.debug = app.debug and not settings.is_production
    logs.configure(settings.log_level, settings.log_format)
    _observe(settings)
    engines = Engines(settings)
    app.extensions["engines"] = engines

    web.init_app(app, settings.trusted_hosts)
    db.init_app(app, engines.connect, engines.connect_for_reports)
    metrics.init_app(app, engines.connect)
    migrate.init_app(app, db.db, directory=str(health.MIGRATIONS))
    queues.init_app(app, lambda: engines.redis_url)
    limits.init_app(app, lambda: engines.redis_url)
    replica.init_app(app, engines)
    api.init_app(app)
    errors.init_app(app)

    health.init_app(app)
    api.register_blueprint(app, health.blp)
    app.register_blueprint(swagger)
    # It stands below the package that knows people, and asks it through these.
    notify.init_app(
        app,
        find_admin_emails=find_admin_emails,
        find_subscribers=find_subscribers,
        count_subscribers=count_subscribers,
        find_holder=find_holder,
        current_person_id=lambda: current_person().id,
        admin_required=admin_required,
    )
    for package in (auth, products, orders, storefront, bulk, relay, figures, serving, migrating, stream, demo, doctor):
        package.init_app(app)
    commands.make_errors_clear(app)
    _add_layers(app, settings, engines)
    return app


def _observe(settings: Settings) -> None:
    """Say what this process is, and start telling what goes on in it."""
    if process.current_role() is None:
        process.set_role(_role())
    tracing.start(settings.otel_exporter_otlp_endpoint, float(settings.otel_traces_sampler_arg))
    faults.start(settings.sentry_dsn, settings.environment)


def _role() -> str:
    """A command is known by its name; what serves has none, since granian loads the application by itself."""
    command = click.get_current_context(silent=True)
    name = command.find_root().invoked_subcommand if command else None
    return "api" if name in (None, "run") else str(name)


def _add_layers(app: Flask, settings: Settings, engines: Engines) -> None:
    """What stands before Flask, from the inside out."""
    line = app.extensions["sign_in_line"]
    pages = busy_pages(app)
    lanes.init_app(app, at_once=settings.requests_at_once, line=line, paths=HASHING_PATHS, pages=pages)
    access_log.init_app(app)
    answers.init_app(app, engines.connect_to_listen, settings.kept_answers_mb * 1024 * 1024)
    cors.init_app(app, settings.cors_origins)
    web.trust_proxies(app, settings.trusted_proxies)
    draining.init_app(app, settings.drain_file)
    with app.app_context():
        counting.init_app(app, db.db.engine, app.extensions["reads"], app.extensions["replica_reads"])
