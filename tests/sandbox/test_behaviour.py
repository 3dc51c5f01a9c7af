"""Each way in which the sandbox can be told to fail, seen from the client's side."""

import json
import urllib.request
from typing import Any
from urllib.error import HTTPError

import pytest
import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from tests.make.sandbox import Sandbox
from tests.sandbox.conftest import ASH, BRIAR, SENDER, Web, send, wait_until
from ugly_mugs.sandbox.behaviour import WrongBehaviour


def failure(client: Client, to: str = ASH) -> TwilioRestException:
    with pytest.raises(TwilioRestException) as refusal:
        send(client, to)
    return refusal.value


class TestFailing:
    def test_a_rule_holds_for_its_phone_and_as_often_as_it_says(
        self, sandbox: Sandbox, client: Client
    ) -> None:
        sandbox.behave(fail=[{"to": ASH, "status": 503, "times": 2}])

        send(client, BRIAR)
        first, second = failure(client), failure(client)
        send(client)

        assert [(error.status, error.code) for error in (first, second)] == [(503, 20503), (503, 20503)]
        assert sandbox.text_count() == 2

    @pytest.mark.parametrize(
        ("rule", "code"),
        [
            ({"status": 429}, 20429),
            ({"status": 500}, 20500),
            ({"status": 401}, 20003),
            ({"status": 400, "code": 21614}, 21614),
        ],
    )
    def test_a_refusal_has_the_code_that_goes_with_it_and_keeps_nothing(
        self, sandbox: Sandbox, client: Client, rule: dict[str, int], code: int
    ) -> None:
        sandbox.behave(fail=[rule])

        problem = failure(client)

        assert (problem.status, problem.code) == (rule["status"], code)
        assert sandbox.text_count() == 0

    def test_an_ambiguous_error_keeps_the_text(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.behave(fail=[{"status": 500, "after_accepting": True, "times": 1}])

        assert failure(client).code == 20500

        assert len(sandbox.texts_to(ASH)) == 1
        assert [m.body for m in client.messages.list(to=ASH)] == ["New notice 4F7K."]

    @pytest.mark.parametrize(("after_accepting", "kept"), [(True, 1), (False, 0)])
    def test_a_connection_can_be_dropped_before_or_after_accepting(
        self, sandbox: Sandbox, client: Client, after_accepting: bool, kept: int
    ) -> None:
        sandbox.behave(fail=[{"drop": True, "after_accepting": after_accepting, "times": 1}])

        with pytest.raises(requests.ConnectionError):
            send(client)

        assert sandbox.text_count() == kept
        send(client)

    def test_an_answer_can_be_nonsense(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.behave(fail=[{"nonsense": True, "times": 1}])

        with pytest.raises((ValueError, TwilioException)):
            send(client)
        assert sandbox.text_count() == 0

    def test_one_phone_can_be_the_one_that_is_not_reached(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.behave(fail=[{"to": ASH, "final": "undelivered", "code": 30005}])
        ash, briar = send(client).sid, send(client, BRIAR).sid

        wait_until(lambda: client.messages(briar).fetch().status == "delivered")
        wait_until(lambda: client.messages(ash).fetch().status == "undelivered")
        assert client.messages(ash).fetch().error_code == 30005


class TestTelling:
    @pytest.mark.parametrize(
        "wish",
        [
            {"latency": 5},
            {"latency_ms": -1},
            {"latency_ms": True},
            {"callbacks": "sideways"},
            {"final": "lost"},
            {"error_code": "30005"},
            {"fail": {"status": 500}},
            {"fail": [{"times": 3}]},
            {"fail": [{"status": 200}]},
            {"fail": [{"status": 500, "drop": True}]},
            {"fail": [{"status": "500"}]},
            {"fail": [{"status": 500, "whom": ASH}]},
            {"fail_mail": [{"to": "ash@example.org"}]},
            {"fail_mail": [{"code": 250}]},
            {"fail_mail": [{"code": 550, "at": "helo"}]},
        ],
    )
    def test_a_wrong_wish_is_refused_whole(
        self, sandbox: Sandbox, client: Client, wish: dict[str, Any]
    ) -> None:
        with pytest.raises(WrongBehaviour):
            sandbox.behave(**({"callback_delay_ms": 5000} | wish))

        assert sandbox.behaviour()["callback_delay_ms"] == 20

    def test_it_can_be_told_over_the_wire(self, sandbox: Sandbox) -> None:
        answer = post(sandbox, "/sandbox/behaviour", {"latency_ms": 7, "fail": [{"status": 500, "times": 1}]})

        assert answer["latency_ms"] == 7
        assert answer["fail"][0]["times"] == 1
        with pytest.raises(HTTPError) as refusal:
            post(sandbox, "/sandbox/behaviour", {"callbacks": "sideways"})
        assert refusal.value.code == 400
        assert "sideways" in json.load(refusal.value)["problem"]

    def test_a_form_from_another_site_cannot_tell_it_anything(self, sandbox: Sandbox) -> None:
        request = urllib.request.Request(
            sandbox.url + "/sandbox/reset", b"{}", {"Sec-Fetch-Site": "cross-site"}
        )

        with pytest.raises(HTTPError) as refusal:
            urllib.request.urlopen(request)
        assert refusal.value.code == 403

    def test_a_rebound_name_reads_nothing(self, sandbox: Sandbox) -> None:
        request = urllib.request.Request(
            sandbox.url + "/sandbox/messages.json", headers={"Host": "evil.example:80"}
        )

        with pytest.raises(HTTPError) as refusal:
            urllib.request.urlopen(request)
        assert refusal.value.code == 403

    def test_a_reset_forgets_texts_blocks_plans_and_behaviour(
        self, sandbox: Sandbox, client: Client, web: Web
    ) -> None:
        sandbox.behave(callback_delay_ms=60_000)
        send(client, status_callback=web.url + "/status")
        sandbox.reply(ASH, "STOP")
        sandbox.behave(fail=[{"status": 500}])

        post(sandbox, "/sandbox/reset", {})

        assert (sandbox.text_count(), sandbox.waiting(), sandbox.thread_of(ASH)) == (0, 0, [])
        assert sandbox.behaviour()["callback_delay_ms"] == 20
        send(client)


class TestReading:
    def test_messages_are_counted_and_newest_first(self, sandbox: Sandbox, client: Client) -> None:
        for phone in (ASH, BRIAR, ASH):
            send(client, phone)
        sandbox.reply(ASH, "Thank you")

        everything = get(sandbox, "/sandbox/messages.json")
        newest = get(sandbox, "/sandbox/messages.json?limit=1")

        assert (everything["count"], [m["to"] for m in everything["messages"]]) == (3, [ASH, BRIAR, ASH])
        assert (newest["count"], len(newest["messages"])) == (3, 1)
        assert get(sandbox, "/sandbox/messages.json?limit=0") == {"count": 3, "messages": []}

    def test_a_phone_can_be_read_and_answered_over_the_wire(self, sandbox: Sandbox, client: Client) -> None:
        send(client)

        reply = post(sandbox, f"/sandbox/phones/{ASH}/reply", {"body": "STOP"})
        phone = get(sandbox, f"/sandbox/phones/{ASH}.json")

        assert reply["webhook_status"] == 204
        assert phone["stopped"] == [SENDER]
        assert [m["body"] for m in phone["messages"]] == ["New notice 4F7K."]
        assert [m["kind"] for m in phone["thread"]] == ["provider", "person", "service"]

    def test_callbacks_are_counted_by_answer(self, sandbox: Sandbox, client: Client, web: Web) -> None:
        send(client, status_callback=web.url + "/status")

        wait_until(lambda: get(sandbox, "/sandbox/callbacks.json") == {"waiting": 0, "answers": {"204": 3}})

    def test_an_unknown_address_is_not_found(self, sandbox: Sandbox) -> None:
        with pytest.raises(HTTPError) as refusal:
            get(sandbox, "/sandbox/nothing")
        assert refusal.value.code == 404


def get(sandbox: Sandbox, path: str) -> Any:
    with urllib.request.urlopen(sandbox.url + path) as answer:
        return json.load(answer)


def post(sandbox: Sandbox, path: str, content: object) -> Any:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(sandbox.url + path, json.dumps(content).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)
