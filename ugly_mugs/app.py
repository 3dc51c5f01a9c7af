"""Builds the application; the only module of the ground that knows the features, all of which it names here."""

import os
from io import BytesIO
from typing import IO

import jinja2
from flask import Flask, Request, g, request
from flask_babel import Babel

import alerts.delivery.jobs
import alerts.membership.code_kind
import alerts.membership.consents
import alerts.membership.demo
import alerts.membership.jobs
import alerts.membership.joining.views
import alerts.membership.preferences.views
import alerts.membership.proving
import alerts.membership.sign_in.views
import alerts.membership.vetting.views
import alerts.publishing.alert_kind
import alerts.publishing.demo
import alerts.publishing.draft_keys
import alerts.publishing.jobs
import alerts.publishing.member_pages.views
import alerts.publishing.output_kind
import alerts.publishing.stopping
import alerts.publishing.views
import reporting.desk.views
import reporting.filing.caller
import reporting.filing.demo
import reporting.filing.views
import reporting.receipt.views
import reporting.record.figures
import reporting.redaction.services
import reporting.redaction.views
import ugly_mugs.accounts.commands
import ugly_mugs.accounts.jobs
import ugly_mugs.accounts.people.joining_views
import ugly_mugs.accounts.people.views
import ugly_mugs.accounts.views
import ugly_mugs.outbox.inbound.keyword_replies
import ugly_mugs.outbox.inbound.views
import ugly_mugs.outbox.jobs
import ugly_mugs.pages
from ugly_mugs import errors, migrations
from ugly_mugs.accounts import guard, navigation
from ugly_mugs.accounts.guard import Area
from ugly_mugs.audit import commands as audit_commands, jobs as audit_jobs
from ugly_mugs.clock import Clock, SystemClock
from ugly_mugs.database.engine import db, engine_options, prepare_engine, reading
from ugly_mugs.languages import LANGUAGES
from ugly_mugs.operations import commands, health, jobs as operations_jobs, logs, start_checks, worker_command
from ugly_mugs.runtime import Runtime
from ugly_mugs.settings import Settings, from_environment
from ugly_mugs.vault import KeyFileProblem
from ugly_mugs.vault.keys import keyfiles
from ugly_mugs.web import headers, page_globals
from ugly_mugs.wiring import Wiring

# Far more than any schema lets through: a form that is too long then returns with everything typed and with what is
# wrong beside the field, while a form refused for its size loses it all. Nothing is uploaded yet.
LARGEST_FORM = 4 * 1024 * 1024

WIRING = Wiring(
    blueprints=(
        ugly_mugs.pages.pages,
        health.health,
        ugly_mugs.accounts.views.accounts,
        ugly_mugs.accounts.people.views.people,
        ugly_mugs.accounts.people.joining_views.staff_joining,
        ugly_mugs.outbox.inbound.views.outbox,
        reporting.filing.views.filing,
        reporting.filing.caller.caller,
        reporting.receipt.views.receipt,
        reporting.redaction.views.redaction,
        reporting.desk.views.desk,
        alerts.membership.joining.views.joining,
        alerts.membership.sign_in.views.member_sign_in,
        alerts.membership.preferences.views.preferences,
        alerts.membership.vetting.views.vetting,
        alerts.publishing.views.publishing,
        alerts.publishing.member_pages.views.member_pages,
    ),
    navigation=(
        *reporting.filing.views.NAVIGATION,
        *reporting.receipt.views.NAVIGATION,
        *alerts.membership.joining.views.NAVIGATION,
        *alerts.membership.sign_in.views.NAVIGATION,
        *alerts.publishing.member_pages.views.NAVIGATION,
        *ugly_mugs.pages.NAVIGATION,
        *reporting.desk.views.NAVIGATION,
        *alerts.publishing.views.NAVIGATION,
        *ugly_mugs.accounts.people.views.NAVIGATION,
        *ugly_mugs.accounts.views.NAVIGATION,
    ),
    sign_in_pages={
        Area.REPORTER: "receipt.receipt_page",
        Area.MEMBER: "sign_in.sign_in_page",
        Area.STAFF: "accounts.sign_in_page",
    },
    commands=(
        *ugly_mugs.accounts.commands.COMMANDS,
        worker_command.worker,
        audit_commands.audit,
        commands.demo,
        commands.doctor,
    ),
    jobs=(
        *ugly_mugs.outbox.jobs.JOBS,
        *ugly_mugs.accounts.jobs.JOBS,
        *operations_jobs.JOBS,
        *audit_jobs.JOBS,
        *alerts.membership.jobs.JOBS,
        *alerts.delivery.jobs.JOBS,
        *alerts.publishing.jobs.JOBS,
    ),
    kinds=(
        alerts.membership.code_kind.CODE,
        alerts.publishing.alert_kind.ALERT,
        ugly_mugs.outbox.inbound.keyword_replies.STOP_ANSWER,
        ugly_mugs.outbox.inbound.keyword_replies.HELP_ANSWER,
    ),
    handlers=alerts.membership.proving.HANDLERS,
    on_stop=alerts.membership.consents.stop,
    on_start=alerts.membership.consents.start_again,
    report_endings=(reporting.redaction.services.report_ended, alerts.publishing.stopping.report_ended),
    output_endings=(alerts.publishing.stopping.output_ended,),
    # In the order in which pages show them.
    output_kinds=(alerts.publishing.output_kind.ALERT,),
    figures=reporting.record.figures.FIGURES,
    key_forgettings=(alerts.publishing.draft_keys.forget_person,),
    demo_steps=(
        alerts.membership.demo.invent_members,
        reporting.filing.demo.invent_reports,
        alerts.publishing.demo.invent_alert,
    ),
)


class MemoryRequest(Request):
    """A request whose parts never touch a disk: werkzeug would spool large ones into a temporary file."""

    max_content_length = LARGEST_FORM
    max_form_memory_size = LARGEST_FORM
    max_form_parts = 2_000

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return BytesIO()


def create_app(
    settings: Settings | None = None, *, clock: Clock | None = None, serving: bool = False
) -> Flask:
    """The whole application. `serving` adds the refusals of a process that answers requests."""
    settings = settings or from_environment(os.environ)
    app = Flask("ugly_mugs", template_folder="../templates", static_folder="static")
    app.request_class = MemoryRequest
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database_url),
        BABEL_DEFAULT_LOCALE=LANGUAGES[settings.languages[0]].locale,
        BABEL_DEFAULT_TIMEZONE="Europe/London",
        BABEL_TRANSLATION_DIRECTORIES="translations",
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
    )
    app.jinja_env.undefined = jinja2.StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    # Templates never see the configuration, so no mistake in one can print a secret.
    app.jinja_env.globals.pop("config", None)

    Runtime(settings, clock or SystemClock(), WIRING).install(app)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    Babel(app)
    logs.init_app(app, settings)
    migrations.init_app(app, settings)
    errors.init_app(app)
    headers.init_app(app, settings)
    page_globals.init_app(app, settings, demo=_is_demo(settings))
    _read_only_gets(app)
    guard.init_app(app)
    navigation.init_app(app)
    for blueprint in WIRING.blueprints:
        app.register_blueprint(blueprint)
    for command in WIRING.commands:
        app.cli.add_command(command)
    if serving:
        with app.app_context():
            start_checks.refuse_unfit_start(settings)
    return app


def _is_demo(settings: Settings) -> bool:
    """Whether the keys are those of a try-out; before the first keys nothing is."""
    try:
        return keyfiles.load_service(settings.keys_dir).demo
    except KeyFileProblem:
        return False


def _read_only_gets(app: Flask) -> None:
    """A GET begins reading transactions, so that readers never queue behind a writer on SQLite."""

    @app.before_request
    def _begin() -> None:
        if request.method in ("GET", "HEAD"):
            g.reading = reading()
            g.reading.__enter__()

    @app.teardown_request
    def _end(error: BaseException | None) -> None:
        held = g.pop("reading", None)
        if held is not None:
            held.__exit__(None, None, None)
