"""Provider errors: each known code has one action, and what is unknown is never sent again by itself."""

from importlib.resources import files

import pytest
from hypothesis import given, strategies as st

from ugly_mugs.outbox.gateways import provider_codes
from ugly_mugs.outbox.gateways.provider_codes import Action, action_for

SENDS_AGAIN = {Action.LATER, Action.AGAIN_AFTER_ACCEPTANCE}


@pytest.mark.parametrize(
    ("code", "action"),
    [
        (21610, Action.OPT_OUT),
        (21614, Action.BAD_ADDRESS),
        (30006, Action.BAD_ADDRESS),
        (20429, Action.LATER),
        (30008, Action.AGAIN_AFTER_ACCEPTANCE),
        (20503, Action.AMBIGUOUS),
        (30007, Action.CONTENT),
        (20003, Action.SENDER),
        (63049, Action.FALL_BACK_TO_SMS),
        (30036, Action.EXPIRED),
    ],
)
def test_a_known_code_has_its_action(code: int, action: Action) -> None:
    assert action_for(code) is action


def test_every_action_but_final_has_a_code_and_no_code_stands_twice() -> None:
    with (files("ugly_mugs") / "data" / "twilio_codes.csv").open(encoding="utf-8") as lines:
        codes = [line.split(",")[0] for line in lines]

    assert len(codes) == len(set(codes)) == 60
    assert set(provider_codes._table().values()) == set(Action) - {Action.FINAL}


def test_no_answer_at_all_is_ambiguous() -> None:
    assert action_for(None) is Action.AMBIGUOUS


@given(st.none() | st.integers(10000, 99999), st.integers(500, 599))
def test_a_server_error_is_ambiguous_whatever_its_body_says(code: int | None, status: int) -> None:
    assert action_for(code, status) is Action.AMBIGUOUS


@given(st.none() | st.integers(10000, 99999))
def test_too_many_requests_was_never_processed(code: int | None) -> None:
    assert action_for(code, 429) is Action.LATER


@given(st.integers(), st.sampled_from([None, 200, 400, 401, 403, 404]))
def test_an_unknown_code_is_final_and_never_sent_again(code: int, status: int | None) -> None:
    if code not in provider_codes._table():
        assert action_for(code, status) is Action.FINAL


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_without_a_code_is_about_us_not_about_the_message(status: int) -> None:
    assert action_for(None, status) is Action.SENDER
    assert action_for(None, 400) not in SENDS_AGAIN
