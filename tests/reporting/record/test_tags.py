"""Which identifiers get a stored tag: those in fields about an alleged offender, never one of the reporter's."""

import sqlalchemy as sa
from flask.testing import FlaskClient

from reporting.record import tags
from reporting.record.models import IdentifierTag
from tests.make.reporter import file, file_and_open, post, stored
from ugly_mugs.database.engine import db
from ugly_mugs.runtime import runtime
from ugly_mugs.text.identifiers import IdentifierKind

PHONE, OTHER = "07700 900123", "07700 900456"


def stored_tags(words: str) -> set[bytes]:
    report = stored(words).report
    return set(db.session.scalars(sa.select(IdentifierTag.tag).where(IdentifierTag.report_id == report.id)))


def tag_of(kind: IdentifierKind, normalised: str) -> bytes:
    own = runtime().vault.tags
    return own.series_tag(own.secret_point(kind, normalised))


def phone_tag() -> bytes:
    return tag_of(IdentifierKind.PHONE, "+447700900123")


def test_each_structured_identifier_is_tagged(client: FlaskClient) -> None:
    words = file(
        client,
        offenders_of_0__phones=f"{PHONE}\n+44 7700 900123",
        offenders_of_0__emails="Him@Example.org",
        offenders_of_1__handles="@Example_Man",
        offenders_of_1__plates="ab12 cde",
    )

    assert stored_tags(words) == {
        phone_tag(),
        tag_of(IdentifierKind.EMAIL, "him@example.org"),
        tag_of(IdentifierKind.HANDLE, "example_man"),
        tag_of(IdentifierKind.PLATE, "AB12CDE"),
    }


def test_equal_identifiers_of_two_reports_have_equal_tags(client: FlaskClient) -> None:
    first = file(client, offenders_of_0__phones="07700900123")
    second = file(client, offenders_of_0__phones="+44 (0)7700 900 123")

    assert stored_tags(first) == stored_tags(second) == {phone_tag()}


def test_an_invalid_identifier_is_kept_as_written_and_not_tagged(client: FlaskClient) -> None:
    words = file(client, offenders_of_0__phones="ends in 123")

    assert stored_tags(words) == set()
    assert stored(words).contents.offenders[0]["phones"] == ["ends in 123"]


def test_an_identifier_in_any_field_about_the_reporter_is_not_tagged(client: FlaskClient) -> None:
    for name in ("about_you__phones", "about_you__keep_out", "about_you__call_you", "contact_me__where"):
        words = file(client, offenders_of_0__phones=PHONE, **{name: f"mine is {PHONE}"})

        assert stored_tags(words) == set(), name


def test_an_identifier_in_free_text_is_stored_only_as_a_sealed_point(client: FlaskClient) -> None:
    words = file(client, happened__account=f"He rang from {PHONE}.", offenders_of_0__phones=OTHER)

    [point] = stored(words).contents.points
    assert runtime().vault.tags.series_tag(point.point) == phone_tag()
    assert phone_tag() not in stored_tags(words)
    assert len(stored_tags(words)) == 1


def test_the_reporters_own_identifier_in_free_text_has_no_point(client: FlaskClient) -> None:
    words = file(client, happened__account=f"He rang me at {PHONE}.", about_you__phones=PHONE)

    assert stored(words).contents.points == []


def test_an_added_identifier_is_tagged(client: FlaskClient) -> None:
    words = file_and_open(client)

    post(client, "/receipt/add", **{"offenders-0.phones": PHONE})

    assert stored_tags(words) == {phone_tag()}


def test_a_tag_is_deleted_when_the_identifier_turns_out_to_be_the_reporters(client: FlaskClient) -> None:
    added = file_and_open(client, offenders_of_0__phones=PHONE)
    post(client, "/receipt/add", **{"about_you.phones": PHONE})
    chosen = file_and_open(client, offenders_of_0__phones=PHONE)
    post(client, "/receipt/choices", **{"contact_me.contact_me": "yes", "contact_me.where": PHONE})

    assert stored_tags(added) == stored_tags(chosen) == set()


def test_the_number_of_points_is_limited(client: FlaskClient) -> None:
    numbers = " and ".join(f"07700 9001{number:02}" for number in range(60))

    words = file(client, happened__account=numbers)

    assert len(stored(words).contents.points) == tags.MOST_POINTS
