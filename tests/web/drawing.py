"""A small application that draws every piece of every template."""

from http import HTTPStatus
from pathlib import Path

import pytest
from flask import Flask, Response, render_template_string, request
from flask_babel import Babel
from jinja2 import StrictUndefined
from marshmallow import Schema

from tests.make.clock import MovableClock
from tests.make.databases import settings_for
from tests.make.pages import Drawn
from ugly_mugs import errors
from ugly_mugs.accounts import guard, navigation
from ugly_mugs.app import WIRING
from ugly_mugs.runtime import Runtime
from ugly_mugs.web import form_fields as ask, headers, page_globals
from ugly_mugs.web.forms import Form, FormList, error_summary

PROJECT = Path(__file__).parents[2]
TEMPLATES = PROJECT / "templates"
STATIC = PROJECT / "ugly_mugs" / "static"
PAGES = ("/", "/help", "/confidentiality")
ERRORS = tuple(sorted(int(each.stem) for each in (TEMPLATES / "errors").glob("[0-9]*.html")))
MANY = tuple((f"kind-{number}", f"Kind {number}", "A hint" if number == 2 else "") for number in range(12))


class Everything(Schema):
    """One question of each kind."""

    story = ask.paragraph("What happened?", required=True, hint="Short is fine.")
    kinds = ask.choices("What kind?", MANY, hint="Tick all that fit.", required=True)
    when = ask.choice("When?", (("today", "Today"), ("unknown", "I do not know")), required=True)
    place = ask.choice("What kind of place?", (("car", "Car"),), widget="select", required=True)
    day = ask.day("Which day?")
    town = ask.line("Which town?", required=True)
    email = ask.email("E-mail", autocomplete="email")
    phone = ask.phone("Phone")
    secret = ask.passphrase("Passphrase", autocomplete="current-password")
    read = ask.tick("I have read this", fallback=None)
    token = ask.hidden()


class Person(Schema):
    names = ask.lines("Names", hint="One on each line.")


FORM_PAGE = """
{% extends "base.html" %}
{% from "macros/fields.html" import fields, entries, summary, button, disclosure,
    enter_presses with context %}
{% block main %}
{{ summary(problems) }}
<h1>Words</h1>
<form method="post">{{ enter_presses() }}{{ fields(form) }}
{{ entries(people, "Person", "Add another person") }}
{% call disclosure("More") %}<p>More words</p>{% endcall %}
{{ button("Send") }}{{ button("Not now", name="later", value="1", kind="quiet") }}
{{ button("End it", kind="grave") }}
</form>
{% endblock %}
"""

PARTS_PAGE = """
{% set area = "desk" %}
{% extends "base.html" %}
{% from "macros/parts.html" import facts, tag, thread, steps, notice, phone with context %}
{% block account %}<form method="post"><button class="button quiet">Sign out</button></form>{% endblock %}
{% block main %}
<h1>Queue</h1>
<table><thead><tr><th scope="col">Report</th><th scope="col">State</th></tr></thead>
<tbody><tr><td data-label="Report"><a href="/desk">4F7K</a></td>
<td data-label="State">{{ tag("new", "good") }}
{{ tag("waiting", "warn") }} {{ tag("danger", "bad") }} {{ tag("plain") }}</td></tr></tbody></table>
<p class="kept">He said <mark>Example</mark>. {{ "long" * 60 }}</p>
{{ facts([("Place", "Leeds"), ("Nothing", "")]) }}
{{ phone("07700 900123", "New notice 4F7K", "1 part") }}
{{ steps(["Read", "Hide", "Draft"], 2) }}
{{ thread([{"who": "Desk", "when": "today", "text": "Hello", "mine": False},
           {"who": "You", "when": "", "text": "Thanks", "mine": True}]) }}
{% for kind in ["", "good", "warn", "bad"] %}
{% call notice(kind) %}<p>Words <a href="/">here</a></p>{% endcall %}
{% endfor %}
{% endblock %}
"""


def small_app(**changes: str) -> Flask:
    """The ground's pages and one page of each piece, without database or keys; `changes` are settings."""
    settings = settings_for("sqlite:////nowhere/none.sqlite3", Path("/nowhere"), **changes)
    app = Flask("ugly_mugs", template_folder=str(TEMPLATES), static_folder=str(STATIC))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    Runtime(settings, MovableClock(), WIRING).install(app)
    Babel(app)
    headers.init_app(app, settings)
    page_globals.init_app(app, settings, demo=True)
    guard.init_app(app)
    navigation.init_app(app)
    for blueprint in WIRING.blueprints:
        app.register_blueprint(blueprint)

    @app.route("/words", methods=["GET", "POST"])
    @guard.anyone
    def words() -> str:
        form, people = Form(Everything()), FormList(Person, "people")
        if request.method == "POST":
            form.take(request.form)
            people.take(request.form)
        return render_template_string(
            FORM_PAGE, form=form, people=people, problems=error_summary(form, people)
        )

    @app.get("/parts")
    @guard.anyone
    def parts() -> str:
        return render_template_string(PARTS_PAGE)

    @app.route("/wrong/<int:status>", methods=["GET", "POST"])
    @guard.anyone
    def wrong(status: int) -> Response:
        return errors.error_response(HTTPStatus(status), again=True)

    return app


@pytest.fixture(scope="module")
def small() -> Flask:
    return small_app()


EVERY_PAGE = (*PAGES, "/words", "/parts", *(f"/wrong/{status}" for status in ERRORS))


def page_of(app: Flask, path: str, **typed: str) -> Drawn:
    client = app.test_client()
    return Drawn((client.post(path, data=typed) if typed else client.get(path)).text)
