"""The merged sections of a report's parts, and what the form's fields say about the reporter."""

from flask.testing import FlaskClient

from reporting.record.contents import known_about_reporter
from tests.make.reporter import ACCOUNT, come_back, file, post, stored


def test_parts_are_merged_by_extending_lists_and_keeping_the_latest_answer(client: FlaskClient) -> None:
    words = file(
        client,
        happened__types=["threats"],
        offenders_of_0__names="First",
        place__place="Leeds",
        place__premises="hotel",
    )
    come_back(client, words)
    post(
        client,
        "/receipt/add",
        **{
            "happened.account": "More.",
            "happened.types": ["robbery", "threats"],
            "offenders-0.names": "Second",
            "place.place": "York",
        },
    )

    merged = stored(words).contents.sections

    assert merged["happened"] == {"account": f"{ACCOUNT}\n\nMore.", "types": ["threats", "robbery"]}
    assert [offender["names"] for offender in merged["offenders"]] == [["First"], ["Second"]]
    assert merged["place"] == {"place": "York", "premises": "hotel"}


def test_fields_about_the_reporter_are_listed_by_kind(client: FlaskClient) -> None:
    words = file(
        client,
        about_you__call_you="Anna",
        about_you__working_names="Ruby\nRosa",
        about_you__phones="07700 900123",
        about_you__emails="anna@example.org",
        about_you__profile_links="https://example.org/ruby",
        about_you__police_reference="AB/123",
        about_you__keep_out="Mill Lane",
        contact_me__where="07700 900777",
        contact_me__name_to_use="Jo",
    )

    assert known_about_reporter(stored(words).contents) == {
        "name": ["Anna", "Jo"],
        "working_name": ["Ruby", "Rosa"],
        "phone": ["07700 900123", "07700 900777"],
        "email": ["anna@example.org"],
        "profile_url": ["https://example.org/ruby"],
        "reference": ["AB/123"],
        "other": ["Mill Lane"],
    }


def test_without_answers_nothing_is_known_about_the_reporter(client: FlaskClient) -> None:
    assert known_about_reporter(stored(file(client)).contents) == {}
