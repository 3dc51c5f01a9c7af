"""The page for people: every phone, every inbox, the demo logins, without scripts and without other sites."""

import http.client
import json
import re
import smtplib
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlencode

import pytest
from twilio.rest import Client

from tests.make.sandbox import Sandbox
from tests.sandbox.conftest import ASH, BRIAR, Web, send, wait_until
from ugly_mugs.sandbox.settings import SandboxSettings

DEMO = {
    "web": "http://127.0.0.1:8000/sign-in",
    "staff": [
        {
            "login": "alice",
            "passphrase": "marble tulip orbit",
            "totp_secret": "GEZDGNBVGY3TQOJQ",
            "roles": ["moderator"],
        }
    ],
    "members": [{"phone": "+447700900150", "email": "wren@example.org"}],
}


def fetch(
    sandbox: Sandbox, path: str = "/", form: dict[str, str] | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, str]:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port)
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request("GET" if form is None else "POST", path, urlencode(form) if form else None, headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response, text


def mail(sandbox: Sandbox, to: str = "ash@example.org", link: str | None = None) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "notices@example.org", to, "A <new> notice"
    if link:
        message["List-Unsubscribe"] = f"<{link}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content("Read it at http://127.0.0.1:8000/alerts\n")
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port) as smtp:
        smtp.send_message(message)


class TestHome:
    def test_it_shows_every_phone_and_inbox_newest_first(self, sandbox: Sandbox, client: Client) -> None:
        for phone in (ASH, BRIAR):
            send(client, phone, body=f"For {phone}")
        for address in ("ash@example.org", "briar@example.org"):
            mail(sandbox, address)

        _, page = fetch(sandbox)

        assert page.index(f"For {BRIAR}") < page.index(f"For {ASH}")
        assert page.index("briar@example.org") < page.index("ash@example.org")
        assert "2 phones, 2 texts" in page

    def test_words_of_others_stay_words(self, sandbox: Sandbox, client: Client) -> None:
        send(client, body="<script>alert(1)</script> http://127.0.0.1:8000/a")
        mail(sandbox)

        _, page = fetch(sandbox)

        assert "<script" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "A &lt;new&gt; notice" in page
        assert re.search(r'<a href="http://127.0.0.1:8000/a" rel="[a-z ]*noreferrer">', page)

    @pytest.mark.parametrize(
        "path", ["/", f"/phones/{ASH}", "/inboxes/ash@example.org", "/logins", "/nowhere"]
    )
    def test_no_page_runs_scripts_or_asks_anybody_else(self, sandbox: Sandbox, path: str) -> None:
        response, page = fetch(sandbox, path)

        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert response.headers["Cache-Control"] == "no-store"
        assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []
        assert "<script" not in page and "style=" not in page

    def test_a_head_request_gets_the_head_only(self, sandbox: Sandbox) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", sandbox.port)
        for _ in range(2):
            connection.request("HEAD", "/")
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b"")
        connection.close()

    def test_it_refreshes_only_when_asked_so_that_a_reply_is_not_lost(
        self, sandbox: Sandbox, client: Client
    ) -> None:
        send(client)

        _, still = fetch(sandbox)
        _, moving = fetch(sandbox, "/?refresh=on")

        assert 'http-equiv="refresh"' not in still and '<form class="reply"' in still
        assert 'http-equiv="refresh" content="3"' in moving and '<form class="reply"' not in moving

    def test_ten_thousand_phones_make_no_endless_page(self, sandbox: Sandbox, client: Client) -> None:
        for number in range(30):
            send(client, f"+4477009002{number:02}")

        _, page = fetch(sandbox)
        _, found = fetch(sandbox, "/?find=900+203")

        assert page.count('class="card phone"') == 20
        assert "And 10 more phones" in page
        assert found.count('class="card phone"') == 1 and "+447700900203" in found


class TestAnswering:
    def test_the_reply_box_sends_a_reply_and_comes_back(
        self, sandbox: Sandbox, client: Client, web: Web
    ) -> None:
        send(client)

        response, _ = fetch(sandbox, f"/phones/{ASH}/reply?back=home", {"body": "Thank you & bye"})

        assert (response.status, response.headers["Location"]) == (303, "/#%2B447700900111")
        wait_until(lambda: web.heard)
        assert web.heard[0].fields["Body"] == "Thank you & bye"
        assert "Thank you &amp; bye" in fetch(sandbox)[1]

    def test_a_stop_shows_on_the_phone(self, sandbox: Sandbox, client: Client) -> None:
        send(client)

        fetch(sandbox, f"/phones/{ASH}/reply?back=phone", {"body": "STOP"})
        _, page = fetch(sandbox, f"/phones/{ASH}")

        assert "stopped at the provider" in page
        assert "You have successfully been unsubscribed." in page

    def test_a_name_has_no_reply_box_and_says_why(self, sandbox: Sandbox, client: Client) -> None:
        client.messages.create(to=ASH, from_="NOTICES", body="New notice 4F7K.")

        _, page = fetch(sandbox, f"/phones/{ASH}")
        response, problem = fetch(sandbox, f"/phones/{ASH}/reply", {"body": "STOP"})

        assert "<form" not in page and "nobody can answer it" in page
        assert response.status == 400 and "is a name" in problem

    def test_another_sites_form_cannot_answer(self, sandbox: Sandbox, client: Client, web: Web) -> None:
        send(client)

        response, _ = fetch(
            sandbox, f"/phones/{ASH}/reply", {"body": "STOP"}, **{"Sec-Fetch-Site": "cross-site"}
        )

        assert response.status == 403
        assert web.heard == []


class TestInbox:
    def test_one_click_posts_what_a_mail_program_posts(self, sandbox: Sandbox, web: Web) -> None:
        mail(sandbox, link=f"{web.url}/stop/abc")
        _, before = fetch(sandbox, "/inboxes/ash@example.org")

        response, _ = fetch(sandbox, "/inboxes/ash@example.org/0/unsubscribe", {"x": ""})
        _, after = fetch(sandbox, "/inboxes/ash@example.org")

        assert f'<a href="{web.url}/stop/abc"' in before and "Unsubscribe in one click" in before
        assert response.status == 303
        [heard] = web.heard
        assert (heard.path, heard.fields) == ("/stop/abc", {"List-Unsubscribe": "One-Click"})
        assert not {"Cookie", "X-Twilio-Signature"} & heard.headers.keys()
        assert "The website answered 204." in after

    def test_without_the_headers_there_is_no_button(self, sandbox: Sandbox) -> None:
        mail(sandbox)

        _, page = fetch(sandbox, "/inboxes/ash@example.org")
        response, _ = fetch(sandbox, "/inboxes/ash@example.org/0/unsubscribe", {"x": ""})

        assert "Unsubscribe in one click" not in page and "No List-Unsubscribe header" in page
        assert response.status == 404


class TestDemo:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        file = tmp_path / "demo.json"
        file.write_text(json.dumps(DEMO), encoding="utf-8")
        return file

    def test_logins_and_members_are_shown(self, file: Path) -> None:
        with Sandbox(SandboxSettings(demo_file=file)) as sandbox:
            _, page = fetch(sandbox)
            frame, logins = fetch(sandbox, "/logins")

        assert "+447700900150" in page and "wren@example.org" in page and 'src="/logins"' in page
        assert "alice" in logins and "marble tulip orbit" in logins and "moderator" in logins
        assert re.search(r'class="code">\d{3} \d{3}<', logins)
        assert 1 <= int(frame.headers["Refresh"]) <= 30

    def test_a_reset_demo_is_read_anew(self, file: Path) -> None:
        with Sandbox(SandboxSettings(demo_file=file)) as sandbox:
            file.write_text(
                json.dumps({"staff": [], "members": [{"phone": "+447700900151"}]}), encoding="utf-8"
            )
            _, page = fetch(sandbox)

        assert "+447700900151" in page and "+447700900150" not in page and "<iframe" not in page

    @pytest.mark.parametrize("content", ["", "[]", '{"staff": [{}]}', '{"staff": 3}', '{"members": [1]}'])
    def test_a_broken_file_is_said_and_breaks_nothing(self, file: Path, content: str) -> None:
        file.write_text(content, encoding="utf-8")

        with Sandbox(SandboxSettings(demo_file=file)) as sandbox:
            response, page = fetch(sandbox)

        assert response.status == 200
        assert "cannot be read" in page

    def test_without_a_file_there_is_no_demo(self, sandbox: Sandbox, tmp_path: Path) -> None:
        with Sandbox(SandboxSettings(demo_file=tmp_path / "missing.json")) as missing:
            assert "Demo logins" not in fetch(missing)[1]
        assert "Demo logins" not in fetch(sandbox)[1]
