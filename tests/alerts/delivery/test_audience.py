"""The audience rule: the SQL condition agrees with the rule written in Python."""

import uuid
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given, settings, strategies as st

from alerts.delivery.audience import Audience, Reach, concerns as concerns_in_database, reach
from alerts.membership.models import Level, Member, MemberState, Sector
from tests.make.alerts import HERE, member
from ugly_mugs.accounts.models import MemberKind
from ugly_mugs.database.engine import db
from ugly_mugs.outbox.models import AddressState, Channel

REGIONS = ("yorkshire-humber", "wales", "scotland")
SECTORS = (Sector.ONLINE, Sector.STREET, Sector.BDSM)


@dataclass(frozen=True)
class Person:
    kind: MemberKind
    state: MemberState
    regions: frozenset[str]
    sectors: frozenset[Sector]


def some(values: tuple[Any, ...], least: int = 0) -> st.SearchStrategy[frozenset[Any]]:
    return st.frozensets(st.sampled_from(values), min_size=least)


people = st.builds(
    Person,
    kind=st.sampled_from(MemberKind),
    state=st.sampled_from([MemberState.ACTIVE, MemberState.ACTIVE, MemberState.PAUSED]),
    regions=some(REGIONS),
    sectors=some(SECTORS),
)
rules = st.builds(
    Audience,
    kinds=some(tuple(MemberKind), least=1),
    regions=some(REGIONS),
    sectors=some(SECTORS),
    online=st.booleans(),
)


def concerns(rule: Audience, person: Person) -> bool:
    if person.state is not MemberState.ACTIVE or person.kind not in rule.kinds:
        return False
    works_there = not rule.sectors or not person.sectors or bool(rule.sectors & person.sectors)
    in_region = bool(rule.regions & person.regions) and works_there
    return in_region or (rule.online and Sector.ONLINE in person.sectors)


@settings(max_examples=25)
@given(crowd=st.lists(people, max_size=6), audiences=st.lists(rules, min_size=1, max_size=5))
def test_the_database_agrees_with_the_rule(
    app: Flask, crowd: list[Person], audiences: list[Audience]
) -> None:
    ids = {
        member(kind=person.kind, state=person.state, regions=person.regions, sectors=person.sectors): person
        for person in crowd
    }

    for rule in audiences:
        matches = set(db.session.scalars(_matching(rule))) & set(ids)
        assert matches == {member_id for member_id, person in ids.items() if concerns(rule, person)}
    db.session.rollback()


@given(rules)
def test_the_rule_survives_being_written_down(rule: Audience) -> None:
    assert Audience.read(rule.canonical()) == rule


@given(rules, rules)
def test_different_rules_are_written_differently(one: Audience, other: Audience) -> None:
    assert (one.canonical() == other.canonical()) == (one == other)


@pytest.mark.parametrize(
    ("rule", "can"),
    [
        (Audience(kinds=frozenset(MemberKind)), False),
        (Audience(kinds=frozenset(), online=True), False),
        (Audience(kinds=frozenset(MemberKind), online=True), True),
        (Audience(kinds=frozenset(MemberKind), regions=frozenset({"wales"})), True),
    ],
)
def test_a_rule_knows_whether_it_can_concern_anybody(rule: Audience, can: bool) -> None:
    assert bool(rule) is can


def test_reach_counts_members_who_would_get_it(app: Flask) -> None:
    member(channels=[Channel.SMS, Channel.EMAIL])
    member(level=Level.FULL)
    member(live=False)
    member(address=AddressState.UNPROVED)
    member(regions=["wales"])
    audience = Audience(kinds=frozenset(MemberKind), regions=frozenset({HERE}))

    assert reach(audience, [Channel.SMS, Channel.EMAIL]) == [
        Reach(Channel.EMAIL, "en", Level.NEUTRAL, 1),
        Reach(Channel.SMS, "en", Level.FULL, 1),
        Reach(Channel.SMS, "en", Level.NEUTRAL, 1),
    ]
    assert reach(audience, [Channel.EMAIL]) == [Reach(Channel.EMAIL, "en", Level.NEUTRAL, 1)]


def test_a_member_with_several_regions_is_found_once(app: Flask) -> None:
    one = member(regions=REGIONS, sectors=SECTORS)
    rule = Audience(frozenset(MemberKind), frozenset(REGIONS), frozenset(SECTORS), online=True)

    assert db.session.scalars(_matching(rule)).all() == [one]


def _matching(rule: Audience) -> sa.Select[tuple[uuid.UUID]]:
    """The active members whom the rule concerns, by the SQL condition."""
    return sa.select(Member.id).where(Member.state == MemberState.ACTIVE, concerns_in_database(rule))
