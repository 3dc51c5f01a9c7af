"""Sealed JSON: whatever is written comes back at its own place only, in one of a few sizes, and says its version."""

import sys
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import given, strategies as st

import ugly_mugs.app  # noqa: F401  it imports every module that has a codec
from alerts.publishing.texts.contents import AlertContents
from reporting.record.consents import Consents, When
from reporting.record.contents import PartContents, Point
from reporting.redaction.spans import OpenedRedaction
from tests.rules.project import PACKAGES
from ugly_mugs.accounts.sessions import SealedPart
from ugly_mugs.database.sealed_json import SealedJson, UnknownVersion
from ugly_mugs.vault import CannotOpen, TooLong, symmetric

KEY, ROW = symmetric.new_key(), uuid.uuid4()
ADDED = 1 + 12 + 16  # format byte, nonce, tag
SEALER, OPENER = partial(symmetric.seal, KEY), partial(symmetric.open_sealed, KEY)

CODECS: dict[str, SealedJson[Any]] = {
    f"{each.table}.{each.column}": each
    for name, module in list(sys.modules.items())
    if name.partition(".")[0] in PACKAGES
    for each in vars(module).values()
    if isinstance(each, SealedJson)
}

texts = st.text(max_size=12)
answers = st.dictionaries(
    texts, st.booleans() | st.integers() | texts | st.lists(texts, max_size=2), max_size=3
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  `timezones` adds it
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "alerts.contents": st.from_type(AlertContents),
    "outputs.preview": st.dictionaries(texts, texts, max_size=3),
    "redactions.contents": st.from_type(OpenedRedaction),
    "report_parts.sections": st.builds(
        PartContents, st.dictionaries(texts, answers, max_size=4), st.lists(st.from_type(Point)).map(tuple)
    ),
    "reports.consents": st.builds(Consents, when=st.sampled_from(When), not_before=..., safe_contact=answers),
    "requests.sealed": answers,
    "sessions.contents": st.builds(SealedPart, began=moments, last_used_at=moments, contents=answers),
}
every_codec = pytest.mark.parametrize("name", sorted(CODECS))


def test_every_codec_of_the_service_is_tried_here() -> None:
    assert CODECS.keys() == VALUES.keys()


@every_codec
@given(st.data())
def test_any_value_comes_back_and_fills_one_of_the_sizes(name: str, data: st.DataObject) -> None:
    codec, value = CODECS[name], data.draw(VALUES[name])

    sealed = codec.seal(value, row=ROW, sealer=SEALER)

    assert codec.open(sealed, row=ROW, opener=OPENER) == value
    assert len(sealed) - ADDED in codec.sizes


@every_codec
@given(st.data())
def test_it_opens_in_its_own_place_and_with_its_own_key_only(name: str, data: st.DataObject) -> None:
    codec = CODECS[name]
    sealed = codec.seal(data.draw(VALUES[name]), row=ROW, sealer=SEALER)

    with pytest.raises(CannotOpen):
        codec.open(sealed, row=uuid.uuid4(), opener=OPENER)
    for elsewhere in (replace(codec, table="elsewhere"), replace(codec, column="elsewhere")):
        with pytest.raises(CannotOpen):
            elsewhere.open(sealed, row=ROW, opener=OPENER)
    with pytest.raises(CannotOpen):
        codec.open(sealed, row=ROW, opener=partial(symmetric.open_sealed, symmetric.new_key()))


@every_codec
@given(st.data())
def test_what_was_written_without_a_version_byte_is_read(name: str, data: st.DataObject) -> None:
    codec, value = CODECS[name], data.draw(VALUES[name])
    versioned = codec.seal(value, row=ROW, sealer=SEALER)
    plain = symmetric.open_sealed(KEY, versioned, codec.where(ROW))

    bare = symmetric.seal(KEY, plain[1:], codec.where(ROW), sizes=codec.sizes)

    assert (plain[0], plain[1:2]) == (1, b"{")
    assert codec.open(bare, row=ROW, opener=OPENER) == value


def _sum(plain: Any) -> int:
    if not isinstance(plain, list):
        raise ValueError("no list")
    return sum(plain)


FIRST: SealedJson[int] = SealedJson(
    "table", "column", sizes=(64,), dump=lambda value: [value], load={1: _sum}
)
# Its second version writes a number without a list around it.
SECOND: SealedJson[int] = SealedJson("table", "column", sizes=(64,), dump=int, load={1: _sum, 2: int})


def sealed_as(plain: bytes) -> bytes:
    return symmetric.seal(KEY, plain, FIRST.where(ROW), sizes=FIRST.sizes)


def test_a_newer_version_is_written_and_both_are_read() -> None:
    former, newer = (codec.seal(7, row=ROW, sealer=SEALER) for codec in (FIRST, SECOND))

    assert [SECOND.open(each, row=ROW, opener=OPENER) for each in (former, newer)] == [7, 7]
    assert OPENER(newer, SECOND.where(ROW)) == b"\x027"


def test_an_unknown_version_is_named_in_the_error() -> None:
    newer = SECOND.seal(7, row=ROW, sealer=SEALER)

    with pytest.raises(UnknownVersion, match=r"version 2 of its format\. This release reads: 1\."):
        FIRST.open(newer, row=ROW, opener=OPENER)


def test_a_list_without_a_version_byte_is_read() -> None:
    assert FIRST.open(sealed_as(b"[3,4]"), row=ROW, opener=OPENER) == 7


@pytest.mark.parametrize("plain", [b"", b"\1", b"\1[", b"[1", b"\1\xff", b"\1{}", b"{}"])
def test_what_is_no_value_cannot_be_opened_and_the_error_repeats_nothing_of_it(plain: bytes) -> None:
    with pytest.raises(CannotOpen) as caught:
        FIRST.open(sealed_as(plain), row=ROW, opener=OPENER)

    assert str(caught.value) == str(CannotOpen())
    assert caught.value.__cause__ is None


def test_more_than_fits_is_said() -> None:
    with pytest.raises(TooLong):
        FIRST.seal(10**60, row=ROW, sealer=SEALER)
