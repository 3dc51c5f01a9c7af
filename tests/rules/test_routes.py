"""Every route says who may enter, and only what this version offers can be reached."""

from flask import Flask

from ugly_mugs.accounts.guard import Area, Entry

# The pages and surfaces of this version; a new one is a decision, so it is written down here too.
FIRST_PARTS = (
    " report receipt join sign-in alerts confidentiality help desk admin leave "
    "webhooks opt-out healthz readyz static robots.txt"
).split(" ")
COMMANDS = {"worker", "demo", "doctor", "db", "keys", "staff", "audit"}


def entries(app: Flask) -> dict[str, Entry | None]:
    return {
        rule.rule: getattr(app.view_functions[rule.endpoint], "who_may_enter", None)
        for rule in app.url_map.iter_rules()
    }


def test_every_route_declares_who_may_enter(app: Flask) -> None:
    undeclared = [rule for rule, entry in entries(app).items() if not isinstance(entry, Entry)]

    assert undeclared == []


def test_a_route_that_forgot_stays_closed(app: Flask) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "open to all")

    assert app.test_client().get("/forgotten").status_code == 500


def test_only_the_pages_of_this_version_exist(app: Flask) -> None:
    first = {rule.split("/")[1] for rule in entries(app)}

    assert first == set(FIRST_PARTS)


def test_the_desk_and_the_administrators_pages_are_for_staff(app: Flask) -> None:
    outside = {
        rule
        for rule, entry in entries(app).items()
        if rule.startswith(("/desk", "/admin")) and entry and entry.area is not Area.STAFF
    }

    # Whoever signs in or takes up an invitation is nobody yet.
    assert all(rule.startswith(("/desk/sign-in", "/desk/join")) for rule in outside), outside


def test_addresses_hold_nothing_of_a_reporter(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(("/report", "/receipt"))]

    assert rules
    assert {argument for rule in rules for argument in rule.arguments} <= {"number", "output_id"}


def test_only_the_commands_of_this_version_exist(app: Flask) -> None:
    assert set(app.cli.commands) == COMMANDS
