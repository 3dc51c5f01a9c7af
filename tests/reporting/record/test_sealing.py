"""What the database holds of a report: no readable text, and no ciphertext that opens in another row."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import DeclarativeBase

from reporting.record import contents, facets, queries
from reporting.record.models import IdentifierTag, Report, ReportMessage, ReportPart
from tests.make.installation import Installation
from tests.make.reporter import file, file_and_open, post, stored
from ugly_mugs.accounts.keys import epochs
from ugly_mugs.accounts.models import Holder, KeyEpoch, KeySeal
from ugly_mugs.database.engine import db, is_sqlite
from ugly_mugs.runtime import runtime
from ugly_mugs.vault import CannotOpen, PrivateKey, Receipt, RecoveryWords, Where

CANARY = "Zanzibarian"
EVERYWHERE = {
    "happened__account": f"{CANARY} account",
    "offenders_of_0__names": f"{CANARY} name",
    "offenders_of_0__emails": f"{CANARY}@example.org",
    "place__place": f"{CANARY} place",
    "when__roughly": f"{CANARY} day",
    "contact_me__contact_me": "yes",
    "contact_me__where": f"{CANARY}.me@example.org",
    "about_you__working_names": f"{CANARY} worker",
}


def everything_stored(table: type[DeclarativeBase]) -> list[Any]:
    rows = db.session.execute(sa.select(table.__table__)).all()
    return [value for row in rows for value in row]


def test_no_text_can_be_found_in_the_database(client: FlaskClient) -> None:
    words = file_and_open(client, **EVERYWHERE)
    post(client, "/receipt/message", **{"message.text": f"{CANARY} message"})

    rows = b"".join(
        value if isinstance(value, bytes) else str(value).encode()
        for table in (Report, ReportPart, ReportMessage, IdentifierTag)
        for value in everything_stored(table)
    )
    if is_sqlite():
        path = runtime().settings.database_url.removeprefix("sqlite:///")
        rows += b"".join(file_path.read_bytes() for file_path in Path(path).parent.glob("*sqlite3*"))

    for shape in (
        str.encode,
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode().hex().encode(),
    ):
        assert shape(CANARY).lower() not in rows.lower()
    for word in words.split():
        assert f" {word} ".encode() not in rows


def test_a_tag_does_not_contain_its_identifier(client: FlaskClient) -> None:
    file(client, offenders_of_0__phones="07700 900123")

    tag = db.session.scalars(sa.select(IdentifierTag)).one()

    assert len(tag.tag) == 32
    assert b"900123" not in tag.tag


def test_texts_in_one_padding_bucket_have_equal_sealed_lengths(client: FlaskClient) -> None:
    file(client, happened__account="x")
    file(client, happened__account="y" * 500, place__place="Leeds")

    for column in (
        Report.desk_wrap,
        Report.receipt_wrap,
        Report.head,
        Report.facets,
        Report.consents,
        ReportPart.sections,
    ):
        assert len(set(db.session.scalars(sa.select(sa.func.length(column))))) == 1


def test_the_epoch_key_opens_a_report(client: FlaskClient, installation: Installation) -> None:
    report = stored(file(client)).report
    recovery = RecoveryWords.from_words(installation.recovery_words)
    seal = db.session.scalars(
        sa.select(KeySeal).where(KeySeal.epoch_id == report.epoch_id, KeySeal.holder == Holder.RECOVERY)
    ).one()
    epoch = PrivateKey(recovery.open(seal.sealed, Where("key_seals", "sealed", seal.id)))
    assert report.desk_wrap is not None

    key = epoch.open(report.desk_wrap, Where("reports", "desk_wrap", report.id))

    assert contents.open_with_key(report, key).account


def test_keys_and_wraps_of_one_report_do_not_open_another(app: Flask) -> None:
    one, words = stored(file(app.test_client())), file(app.test_client())
    other = stored(words)
    assert queries.content_key(other.report, Receipt.parse(words), runtime().vault) == other.key

    with pytest.raises(CannotOpen):
        contents.open_with_key(one.report, other.key)
    other.report.receipt_wrap = one.report.receipt_wrap

    assert queries.content_key(other.report, Receipt.parse(words), runtime().vault) is None
    db.session.rollback()


def test_the_minute_stands_only_inside(client: FlaskClient) -> None:
    file(client)

    columns = {column.name: column.type for column in Report.__table__.columns}

    assert not [name for name, kind in columns.items() if isinstance(kind, sa.DateTime)]


def test_facets_come_back_as_they_were_sealed(client: FlaskClient) -> None:
    words = file(
        client,
        happened__types=["robbery", "threats"],
        happened__still_going_on="yes",
        place__place="Leeds",
        about_you__sector="street",
    )
    report = stored(words).report
    assert report.facets is not None

    opened_facets = facets.open_sealed(report.facets, report_id=report.id, vault=runtime().vault)

    assert opened_facets == facets.Facets(
        types=frozenset({"robbery", "threats"}),  # type: ignore[arg-type]
        severity="danger",  # type: ignore[arg-type]
        region="yorkshire-humber",
        sector="street",
        urgent=True,
        placeless=False,
    )


def test_facets_follow_what_is_added(client: FlaskClient) -> None:
    words = file_and_open(client)
    post(client, "/receipt/add", **{"place.region": "wales", "happened.types": "rape"})
    report = stored(words).report
    assert report.facets is not None

    opened_facets = facets.open_sealed(report.facets, report_id=report.id, vault=runtime().vault)

    assert (opened_facets.region, opened_facets.severity) == ("wales", "danger")


def test_a_new_epoch_is_used_from_the_next_report_on(client: FlaskClient) -> None:
    former = stored(file(client)).report.epoch_id
    kind = db.session.get(KeyEpoch, former).kind  # type: ignore[union-attr]
    recovery = epochs.live_recovery_key()
    assert recovery is not None
    newer = epochs.new_epoch(kind, vault=runtime().vault, recovery=recovery, day=runtime().clock.now().date())
    newer_id = newer.id
    db.session.commit()
    epochs.mark(runtime().settings.keys_dir, newer, vault=runtime().vault)

    assert stored(file(client)).report.epoch_id == newer_id
