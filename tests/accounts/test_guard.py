"""Access control: every route states who may enter, and the hook before every request enforces it."""

import uuid
from collections.abc import Mapping

import pytest
import sqlalchemy as sa
from flask import Flask, render_template_string, session
from flask.testing import FlaskClient

from tests.make.cast import Colleague, Team
from tests.make.clock import MovableClock
from tests.make.databases import count, execute
from tests.make.pages import hidden
from tests.make.sessions import begin_member_session, begin_reporter_session, begin_session, keep
from ugly_mugs.accounts import guard
from ugly_mugs.accounts.guard import PERMISSIONS, Permission, anyone, machine, member, reporter, staff
from ugly_mugs.accounts.models import Role, Session, SessionKind, StaffRole

ALLOWED: Mapping[Role, str] = {
    Role.MODERATOR: "open_reports redact draft converse file_for_caller admit_moderators see_drafts",
    Role.CASEWORKER: "open_reports converse file_for_caller",
    Role.APPROVER: "approve see_drafts",
    Role.RELEASER: "release see_drafts",
    Role.MEMBER_ADMIN: "vet",
    Role.ADMINISTRATOR: "settings invite",
    Role.AUDITOR: "audit",
    Role.ORGANISATION_WORKER: "",
}

FORM = '<form method="post">{{ csrf_field() }}</form>'


@pytest.fixture
def app(app: Flask) -> Flask:
    """The application with one page behind each permission, and one of each other area."""
    for permission in Permission:
        app.add_url_rule(
            f"/desk/test/{permission.value}", permission.value, staff(permission)(lambda: "entered")
        )

    @app.route("/desk/test/form", methods=["GET", "POST"])
    @staff()
    def desk_form() -> str:
        return render_template_string(FORM)

    @app.route("/receipt/test", methods=["GET", "POST"])
    @reporter
    def reporters() -> str:
        return str(guard.current_reporter().report_id) + render_template_string(FORM)

    @app.route("/alerts/test", methods=["GET", "POST"])
    @member
    def members() -> str:
        return str(guard.current_member().member_id)

    @app.post("/test/open")
    @anyone
    def open_form() -> str:
        return "entered"

    @app.post("/test/machine")
    @machine
    def machines() -> str:
        return "entered"

    @app.get("/report/test")
    @anyone
    def curious() -> str:
        return str(guard.browser_session(SessionKind.MEMBER))

    @app.get("/test/unmarked")
    def unmarked() -> str:
        return "entered"

    @app.get("/test/flask-session")
    @anyone
    def flask_session() -> str:
        session["anything"] = "else"
        return "kept"

    return app


class TestThePermissionTable:
    def test_it_names_every_role(self) -> None:
        assert set(PERMISSIONS) == set(Role)

    @pytest.mark.parametrize("role", Role)
    def test_each_role_may_do_exactly_this(self, role: Role) -> None:
        assert {permission.value for permission in PERMISSIONS[role]} == set(ALLOWED[role].split())

    @pytest.mark.parametrize("role", [role for role in Role if role is not Role.ORGANISATION_WORKER])
    def test_bob_enters_exactly_the_pages_of_his_role(self, team: Team, role: Role) -> None:
        bob = team.hire("bob", role)

        entered = {
            permission.value
            for permission in Permission
            if bob.browser.get(f"/desk/test/{permission.value}").status_code == 200
        }

        assert entered == set(ALLOWED[role].split())

    def test_roles_add_up(self, team: Team) -> None:
        fay = team.hire("fay", Role.AUDITOR, Role.APPROVER)

        assert fay.browser.get("/desk/test/audit").status_code == 200
        assert fay.browser.get("/desk/test/approve").status_code == 200
        assert fay.browser.get("/desk/test/open_reports").status_code == 403

    @pytest.mark.parametrize("permission", Permission)
    def test_charlie_the_stranger_is_shown_the_door(
        self, client: FlaskClient, permission: Permission
    ) -> None:
        answer = client.get(f"/desk/test/{permission.value}")

        assert answer.status_code == 303
        assert answer.location == "/desk/sign-in"

    def test_a_role_that_was_taken_away_is_gone_at_the_next_request(self, team: Team) -> None:
        fay = team.hire("fay", Role.AUDITOR, Role.ADMINISTRATOR)

        execute(sa.delete(StaffRole).where(StaffRole.role == Role.AUDITOR))

        assert fay.browser.get("/desk/test/audit").status_code == 403
        assert fay.browser.get("/desk/test/invite").status_code == 200


class TestEveryRoute:
    def test_says_who_may_enter(self, app: Flask) -> None:
        silent = [
            rule.rule
            for rule in app.url_map.iter_rules()
            if not isinstance(getattr(app.view_functions[rule.endpoint], "who_may_enter", None), guard.Entry)
        ]

        assert silent == ["/test/unmarked"]

    def test_that_does_not_say_is_closed(self, client: FlaskClient) -> None:
        assert client.get("/test/unmarked").status_code == 500

    def test_static_files_are_for_anyone(self, client: FlaskClient) -> None:
        assert client.get("/static/style.css").status_code == 200


class TestAreas:
    def test_each_has_a_door_of_its_own(self, client: FlaskClient) -> None:
        assert client.get("/receipt/test").location == "/receipt"
        assert client.get("/alerts/test").location == "/sign-in"
        assert client.get("/desk/test/form").location == "/desk/sign-in"

    def test_a_reporter_finds_their_report(self, client: FlaskClient) -> None:
        report_id = begin_reporter_session(client)

        assert str(report_id) in client.get("/receipt/test").text

    def test_a_member_is_known_by_a_random_id(self, client: FlaskClient) -> None:
        member_id = begin_member_session(client)

        assert client.get("/alerts/test").text == str(member_id)

    def test_a_members_session_opens_no_other_area(self, client: FlaskClient) -> None:
        value = begin_session(SessionKind.MEMBER, uuid.uuid4()).value

        client.set_cookie("reporter", value)
        client.set_cookie("staff", value)

        assert client.get("/receipt/test").status_code == 303
        assert client.get("/desk/test/form").status_code == 303

    def test_a_members_cookie_is_never_read_where_reports_are_filed(self, client: FlaskClient) -> None:
        begin_member_session(client)

        assert client.get("/report/test").status_code == 500

    def test_a_session_that_waits_for_its_code_opens_nothing_and_is_left_alone(
        self, client: FlaskClient
    ) -> None:
        keep(client, begin_session(SessionKind.MEMBER, contents={"request": "waiting"}))

        answer = client.get("/alerts/test")

        assert answer.status_code == 303
        assert count(Session, Session.kind == SessionKind.MEMBER) == 1
        assert client.get_cookie("member") is not None

    def test_leaving_ends_the_reporters_session(self, client: FlaskClient) -> None:
        begin_reporter_session(client)

        client.get("/leave")

        assert count(Session, Session.kind == SessionKind.REPORTER) == 0
        assert client.get_cookie("reporter") is None
        assert client.get("/receipt/test").status_code == 303

    def test_flasks_own_session_is_refused(self, client: FlaskClient) -> None:
        answer = client.get("/test/flask-session")

        assert answer.status_code == 500
        assert client.get_cookie("session") is None

    def test_a_session_moved_to_a_colleague_in_the_database_lets_nobody_in(
        self, erin: Colleague, bob: Colleague
    ) -> None:
        execute(sa.update(Session).where(Session.owner_id == erin.id).values(owner_id=bob.id))

        assert erin.browser.get("/desk/test/approve").status_code == 303
        assert bob.browser.get("/desk/test/approve").status_code == 200


class TestAutoRefresh:
    """A page that refreshes itself does not show that anybody is present."""

    def test_it_does_not_prolong_a_session(self, erin: Colleague, clock: MovableClock) -> None:
        statuses = []

        for _time in range(4):
            clock.forward(minutes=5)
            statuses.append(erin.browser.get("/desk/test/form?live=on").status_code)

        assert statuses == [200, 200, 200, 303]

    def test_what_somebody_does_still_prolongs_it(self, erin: Colleague, clock: MovableClock) -> None:
        token = hidden(erin.browser.get("/desk/test/form"), "csrf")

        for path in ("/desk/test/form", "/desk/test/form?live=off"):
            clock.forward(minutes=14)
            assert erin.browser.get(path).status_code == 200
        clock.forward(minutes=14)
        assert erin.browser.post("/desk/test/form?live=on", data={"csrf": token}).status_code == 200
        clock.forward(minutes=14)

        assert erin.browser.get("/desk/test/form?live=on").status_code == 200


class TestForms:
    def test_a_page_of_this_session_may_post(self, erin: Colleague) -> None:
        token = hidden(erin.browser.get("/desk/test/form"), "csrf")

        assert erin.browser.post("/desk/test/form", data={"csrf": token}).status_code == 200

    @pytest.mark.parametrize("token", ["", "AAAA", "ü"])
    def test_a_wrong_token_is_refused_and_everything_typed_is_shown_again(
        self, erin: Colleague, token: str
    ) -> None:
        answer = erin.browser.post("/desk/test/form", data={"csrf": token, "note": "Blue car, <Leeds>"})

        assert answer.status_code == 400
        assert "Blue car, &lt;Leeds&gt;" in answer.text

    def test_a_token_of_somebody_elses_session_is_refused(self, team: Team, erin: Colleague) -> None:
        fay = team.hire("fay", Role.AUDITOR)

        token = hidden(fay.browser.get("/desk/test/form"), "csrf")

        assert erin.browser.post("/desk/test/form", data={"csrf": token}).status_code == 400

    def test_the_page_after_a_refusal_can_be_sent_as_it_stands(self, erin: Colleague) -> None:
        refused = erin.browser.post("/desk/test/form", data={"csrf": "old", "note": "Blue car"})
        answer = erin.browser.post(
            "/desk/test/form", data={"csrf": hidden(refused, "csrf"), "note": hidden(refused, "note")}
        )

        assert answer.status_code == 200

    def test_what_was_typed_while_a_session_ended_is_shown_and_can_be_sent_after_signing_in(
        self, erin: Colleague, clock: MovableClock
    ) -> None:
        token = hidden(erin.browser.get("/desk/test/form"), "csrf")

        clock.forward(minutes=16)
        ended = erin.browser.post("/desk/test/form", data={"csrf": token, "note": "Blue car"})
        erin.sign_in()
        stale = erin.browser.post("/desk/test/form", data={"note": hidden(ended, "note")})
        answer = erin.browser.post(
            "/desk/test/form", data={"csrf": hidden(stale, "csrf"), "note": hidden(stale, "note")}
        )

        assert ended.status_code == 400
        assert answer.status_code == 200

    @pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
    def test_a_form_posted_from_another_site_is_refused(self, erin: Colleague, site: str) -> None:
        token = hidden(erin.browser.get("/desk/test/form"), "csrf")

        theirs = {"Sec-Fetch-Site": site}

        assert erin.browser.post("/test/open", headers=theirs).status_code == 403
        assert erin.browser.post("/desk/test/form", data={"csrf": token}, headers=theirs).status_code == 403

    @pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}])
    def test_a_form_of_this_site_is_taken(self, client: FlaskClient, headers: dict[str, str]) -> None:
        assert client.post("/test/open", headers=headers).status_code == 200

    def test_machines_are_not_asked_where_they_come_from(self, client: FlaskClient) -> None:
        assert client.post("/test/machine", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
