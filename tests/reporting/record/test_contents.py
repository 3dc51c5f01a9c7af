"""The merged view of a report's parts, and what the form's own fields hold about the reporter."""

from flask.testing import FlaskClient

from reporting.record.contents import known_about_reporter
from tests.make.reporter import ACCOUNT, behind, come_back, file, post


def test_parts_are_merged_lists_grow_and_the_latest_answer_counts(client: FlaskClient) -> None:
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

    merged = behind(words).contents.sections

    assert merged["happened"] == {"account": f"{ACCOUNT}\n\nMore.", "types": ["threats", "robbery"]}
    assert [each["names"] for each in merged["offenders"]] == [["First"], ["Second"]]
    assert merged["place"] == {"place": "York", "premises": "hotel"}


def test_what_is_known_about_the_reporter_is_told_by_kind(client: FlaskClient) -> None:
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

    assert known_about_reporter(behind(words).contents) == {
        "name": ["Anna", "Jo"],
        "working_name": ["Ruby", "Rosa"],
        "phone": ["07700 900123", "07700 900777"],
        "email": ["anna@example.org"],
        "profile_url": ["https://example.org/ruby"],
        "reference": ["AB/123"],
        "other": ["Mill Lane"],
    }


def test_of_somebody_who_said_nothing_nothing_is_known(client: FlaskClient) -> None:
    assert known_about_reporter(behind(file(client)).contents) == {}
