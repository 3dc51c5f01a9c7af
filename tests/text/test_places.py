"""Places: every way to type a town or a postcode leads to the same region, and never to a single door."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from ugly_mugs.text import places
from ugly_mugs.text.places import FORCES, REGIONS, outward_code, regions_of

INWARD = st.from_regex(r"[0-9][ABD-HJLNP-UW-Z]{2}", fullmatch=True)
OUTWARD = st.sampled_from(["M1", "B33", "CR2", "DN55", "W1A", "EC1A", "BT1", "JE2", "GY1", "IM1", "NE49"])


def test_the_regions_cover_both_countries_and_the_crown_dependencies() -> None:
    assert len(REGIONS) == 19
    assert {r.nation for r in REGIONS.values()} >= {
        "England",
        "Wales",
        "Scotland",
        "Ireland",
        "Jersey",
        "Guernsey",
    }


def test_every_region_and_force_named_by_the_data_exists() -> None:
    towns = places._towns().values()
    postcodes = [places._postcode_match(code) for code in places._postcodes()]

    for match in [*towns, *postcodes]:
        assert match is not None
        assert match.regions and set(match.regions) <= set(REGIONS)
        assert match.forces and set(match.forces) <= set(FORCES)
    for force in FORCES.values():
        assert set(force.regions) <= set(REGIONS)


@pytest.mark.parametrize(
    "typed", ["Newcastle upon Tyne", "newcastle-upon-tyne", " NEWCASTLE  UPON TYNE ", "Newcastle-Upon-Tyne."]
)
def test_a_town_is_known_in_any_case_and_hyphenation(typed: str) -> None:
    match = regions_of(typed)

    assert match is not None
    assert match.regions == ("north-east",)
    assert match.canonical == "Newcastle upon Tyne"
    assert not match.choice_needed


def test_accents_and_apostrophes_do_not_count() -> None:
    assert regions_of("baile atha cliath") == regions_of("Baile Átha Cliath") == regions_of("Dublin")
    assert regions_of("Kings Lynn") == regions_of("King’s Lynn") == regions_of("king's lynn")


def test_a_town_that_exists_more_than_once_asks_for_a_choice() -> None:
    match = regions_of("Newport")

    assert match is not None
    assert match.choice_needed
    assert match.regions[0] == "wales"
    assert "hampshire" in match.forces


def test_a_town_is_not_picked_out_of_a_sentence() -> None:
    assert regions_of("he threw a stone near the sandwich bar") is None
    assert regions_of("Leeds and then Hull") is None
    assert regions_of("") is None


@given(OUTWARD, INWARD, st.sampled_from(["", " ", "  ", "-", "\u00a0"]), st.booleans())
def test_a_whole_postcode_leaves_only_its_outward_part(
    outward: str, inward: str, gap: str, lower: bool
) -> None:
    typed = f" {outward}{gap}{inward} "

    assert outward_code(typed.lower() if lower else typed) == outward


@given(OUTWARD, INWARD)
def test_what_a_match_shows_never_holds_the_inward_part(outward: str, inward: str) -> None:
    for typed in (f"{outward} {inward}", f"Leeds, {outward} {inward}", f"leeds {outward}{inward}"):
        match = regions_of(typed)
        assert match is not None
        assert match.canonical == outward


@given(st.text(max_size=30))
def test_any_text_gives_a_match_of_known_regions_or_nothing(text: str) -> None:
    match = regions_of(text)
    code = outward_code(text)

    assert match is None or set(match.regions) <= set(REGIONS)
    assert code is None or re.fullmatch(r"[A-Z]{1,2}[0-9][A-Z0-9]?", code)


@pytest.mark.parametrize(
    ("typed", "outward"),
    [("ls11", "LS11"), ("NE4 9", "NE4"), ("ｅｃ１ａ", "EC1A"), ("D02 X285", "D02"), ("d6w", "D6W")],
)
def test_outward_codes_are_read_in_other_layouts(typed: str, outward: str) -> None:
    assert outward_code(typed) == outward


@pytest.mark.parametrize("typed", ["QQ1 1AA", "LS", "12345", "LS11 8ZQ LS11 8ZQ", "Leeds"])
def test_what_is_no_postcode_has_no_outward_code(typed: str) -> None:
    assert outward_code(typed) is None


def test_an_exception_goes_before_its_area() -> None:
    own, area = regions_of("B46"), regions_of("B1")

    assert own is not None and area is not None
    assert own.forces == ("warwickshire",)
    assert area.forces[0] == "west-midlands"


def test_a_postcode_that_straddles_forces_asks_for_a_choice() -> None:
    straddling, clear = regions_of("EC1"), regions_of("LS1")

    assert straddling is not None and clear is not None
    assert straddling.choice_needed
    assert len(straddling.forces) > 1
    assert not clear.choice_needed


def test_dublin_routing_keys_lie_in_leinster_and_other_keys_are_left_open() -> None:
    match = regions_of("D02 X285")

    assert match is not None
    assert (match.regions, match.forces, match.canonical) == (("leinster",), ("garda",), "D02")
    assert regions_of("A65 F4E2") is None


@pytest.mark.parametrize(("typed", "key"), [("Dublin 8", "D08"), ("dublin 24", "D24"), ("Dublin 6W", "D6W")])
def test_a_dublin_district_is_known_by_its_number(typed: str, key: str) -> None:
    match = regions_of(typed)

    assert match is not None
    assert (match.regions, match.canonical) == (("leinster",), key)


@pytest.mark.parametrize(
    "zone", ["Europe/Jersey", "Europe/Guernsey", "Europe/Isle_of_Man", "Europe/Belfast", "Europe/Dublin"]
)
def test_every_region_has_the_same_hours_as_london(zone: str) -> None:
    for month in (1, 3, 7, 11):
        moment = datetime(2026, month, 29, 12, tzinfo=UTC)
        assert (
            moment.astimezone(ZoneInfo(zone)).utcoffset()
            == moment.astimezone(ZoneInfo("Europe/London")).utcoffset()
        )
