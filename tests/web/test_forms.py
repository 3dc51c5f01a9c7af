"""Forms: one schema draws and judges, and what a person typed is never lost."""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given, strategies as st
from marshmallow import Schema, ValidationError, fields, validates_schema
from werkzeug.datastructures import MultiDict

from ugly_mugs.web import form_fields as ask
from ugly_mugs.web.form_fields import clean
from ugly_mugs.web.forms import Form, FormList, error_summary

KINDS = (("threats", "Threats"), ("robbery", "Robbery"), ("unknown", "I do not know", "That is fine"))


class Premises(StrEnum):
    HOTEL = "hotel"
    CAR = "car"


class Story(Schema):
    story = ask.paragraph("What happened?", required=True, longest=200, hint="Short is fine.")
    kinds = ask.choices("What kind?", KINDS)
    when = ask.choice("When?", (("today", "Today"), ("unknown", "I do not know")))
    day = ask.day("Which day?")
    town = ask.line("Which town?", longest=20, longest_bytes=24)
    premises = ask.choice(
        "What kind of place?", lambda: [(p.value, p.name) for p in Premises], widget="select"
    )
    warn = ask.yes_no("May we warn others?")
    read = ask.tick("I have read this")
    email = ask.email("Your e-mail address")
    names = ask.lines("Names they used", longest=30, most=3)
    ring = ask.whole("How often?", least=1, most=9)
    secret = ask.passphrase("Passphrase")
    token = ask.hidden()


class Person(Schema):
    names = ask.lines("Names")
    email = ask.email("E-mail")


@pytest.fixture(autouse=True)
def speaking() -> Iterator[None]:
    app = Flask("tests")
    Babel(app)
    with app.test_request_context():
        yield


def typed(*pairs: tuple[str, str], **single: str) -> "MultiDict[str, str]":
    return MultiDict([*single.items(), *pairs])


def taken(**single: str) -> Form:
    form = Form(Story())
    form.take(typed(**{"story": "x", **single}))
    return form


class TestJudging:
    def test_a_good_form_gives_typed_values(self) -> None:
        form = Form(Story())

        good = form.take(
            typed(
                ("kinds", "robbery"), ("kinds", "threats"),
                story=" It was dark.\r\nI ran. ", day="2026-03-14", warn="no", ring="3",
                names="Sam\r\nAlex, Sam", premises="car", email="kim@example.org",
            )
        )  # fmt: skip

        assert good
        assert form.errors == {}
        assert form.values["story"] == "It was dark.\nI ran."
        assert form.values["kinds"] == ["threats", "robbery"]
        assert form.values["day"] == date(2026, 3, 14)
        assert form.values["warn"] is False
        assert form.values["ring"] == 3
        assert form.values["names"] == ["Sam", "Alex"]
        assert form.values["premises"] == "car"
        assert form.values["email"] == "kim@example.org"

    def test_what_is_left_blank_is_absent(self) -> None:
        form = taken(town="  ", day="", kinds="", warn="", names="\n\n", ring=" ")

        assert form.errors == {}
        assert form.values["town"] is None
        assert form.values["day"] is None
        assert form.values["kinds"] == []
        assert form.values["warn"] is None
        assert form.values["read"] is False
        assert form.values["names"] == []
        assert form.values["ring"] is None

    @pytest.mark.parametrize("story", ["", "   ", "\r\n", "\x00\x01", "\x00 \x02"])
    def test_a_needed_answer_of_nothing_is_refused(self, story: str) -> None:
        assert taken(story=story).errors == {"story": ["Please fill this in."]}

    @pytest.mark.parametrize(
        ("name", "wrong"),
        [
            ("kinds", "murmur"), ("when", "tomorrow"), ("day", "2026-02-30"), ("day", "last week"),
            ("town", "x" * 21), ("town", "\u4e2d" * 9),
            ("premises", "castle"), ("warn", "perhaps"), ("email", "kim"), ("email", "kim@example"),
            ("email", "a@b@example.org"), ("email", "kim@exa mple.org"), ("email", "k..m@example.org"),
            ("names", "x" * 31), ("names", "a\nb\nc\nd"), ("ring", "0"), ("ring", "10"), ("ring", "2.5"),
            ("ring", "9" * 5000), ("ring", "true"), ("story", "x" * 201), ("story", "x" * 400_000),
        ],
    )  # fmt: skip
    def test_a_wrong_answer_is_refused_where_it_stands_and_kept(self, name: str, wrong: str) -> None:
        form = taken(**{name: wrong})

        assert list(form.errors) == [name]
        assert form.errors[name][0].startswith(("Please", "This"))
        assert form[name].values == [wrong]
        assert form.values == {}

    def test_length_is_counted_in_characters_and_in_bytes_after_cleaning(self) -> None:
        assert taken(town="e\u0301" * 12).values["town"] == "é" * 12
        assert taken(town="é" * 13).errors["town"] == [
            "This is too long for us to keep. Please make it shorter."
        ]
        assert taken(town="x" * 21).errors["town"] == [
            "This is too long. Please keep it under 20 characters."
        ]

    def test_one_line_stays_one_line(self) -> None:
        assert taken(town="Leeds\r\nLS2\tnorth").values["town"] == "Leeds LS2 north"

    def test_the_same_fields_judge_json(self) -> None:
        loaded = Story().load(
            {"story": "x", "kinds": ["threats"], "names": ["Sam", "Alex"], "warn": True, "ring": 2}
        )

        assert loaded["names"] == ["Sam", "Alex"]
        assert loaded["warn"] is True

    @pytest.mark.parametrize(
        "body",
        [
            {"story": 5}, {"story": ["x"]}, {"story": None}, {"story": "x", "kinds": "threats"},
            {"story": "x", "kinds": [["threats"]]}, {"story": "x", "kinds": {"threats": 1}},
            {"story": "x", "names": 7}, {"story": "x", "names": [7]}, {"story": "x", "warn": []},
            {"story": "x", "ring": True}, {"story": "x", "ring": 2.5e-42}, {"story": "x", "when": {}},
            {"story": "x", "day": 20260314},
        ],
    )  # fmt: skip
    def test_json_of_the_wrong_kind_is_refused(self, body: dict[str, Any]) -> None:
        with pytest.raises(ValidationError) as refusal:
            Story().load(body)

        assert all(
            isinstance(text, str) for texts in refusal.value.messages_dict.values() for text in flat(texts)
        )

    def test_a_rule_of_the_whole_section_is_told_first_and_leads_to_its_first_question(self) -> None:
        class Either(Schema):
            phone = ask.phone("Phone")
            email = ask.email("E-mail")

            @validates_schema
            def reachable(self, values: dict[str, Any], **_: Any) -> None:
                if not values["phone"] and not values["email"]:
                    raise ValidationError("Please give one of them.")

        form = Form(Either(), prefix="joining")

        assert not form.take(typed())
        assert error_summary(form) == [("joining-phone", "", "Please give one of them.")]

    def test_a_service_can_refuse_what_the_schema_let_through(self) -> None:
        form = taken()

        form.refuse("town", "We do not know this town.")

        assert form["town"].errors == ["We do not know this town."]
        assert error_summary(form) == [("town", "Which town?", "We do not know this town.")]


def flat(found: Any) -> Iterator[Any]:
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, list):
        for each in found:
            yield from flat(each)
    else:
        yield found


class TestGarbage:
    anything = st.text(max_size=40)
    names = st.sampled_from(
        [*Story().fields, "unknown", "story[]", "", "people-0.names", "people-7.x", "people-999.names"]
    )

    @given(st.lists(st.tuples(names, anything), max_size=30))
    def test_nothing_posted_ever_raises_and_everything_is_kept(self, posted: list[tuple[str, str]]) -> None:
        form, people = Form(Story()), FormList(Person, "people")
        everything = MultiDict(posted)

        form.take(everything)
        people.take(everything)

        for name in form.schema.fields:
            assert form[name].values == everything.getlist(name)
        assert all(isinstance(text, str) for texts in form.errors.values() for text in texts)
        assert len(people) <= people.limit
        assert error_summary(form, people) is not None

    def test_a_repeated_name_counts_once(self) -> None:
        form = Form(Story())

        assert form.take(typed(("story", "first"), ("story", "second")))
        assert form.values["story"] == "first"

    def test_a_huge_list_is_refused_not_read(self) -> None:
        form = Form(Story())

        assert not form.take(typed(*[("kinds", "threats")] * 20_000, story="x"))
        assert len(form["kinds"].values) <= 101

    @given(st.text(st.characters(codec=None), max_size=60))
    def test_cleaned_text_is_clean_and_cleaning_again_changes_nothing(self, text: str) -> None:
        for lines in (True, False):
            cleaned = clean(text, lines=lines)

            assert "\x00" not in cleaned
            assert cleaned.encode().decode() == cleaned
            assert clean(cleaned, lines=lines) == cleaned

    def test_scripts_and_emoji_survive_cleaning(self) -> None:
        text = "ștefan 李娜 👩🏽‍🦱 a\u200db naïve"

        assert clean(text, lines=True) == text


class TestDrawing:
    def test_fields_come_in_the_order_of_the_schema_with_their_words(self) -> None:
        form = Form(Story(), prefix="what")

        assert [field.name for field in form][:2] == ["what.story", "what.kinds"]
        story = form["story"]
        assert (story.id, story.label, story.hint) == ("what-story", "What happened?", "Short is fine.")
        assert story.required
        assert story.widget == "textarea"
        assert story.described_by == "what-story-hint"
        assert story.autocomplete == "off"

    def test_an_empty_form_has_nothing_chosen(self) -> None:
        form = Form(Story())

        assert not any(option.chosen for field in form for option in field.choices)
        assert not any(field.value for field in form)
        assert form.empty

    def test_known_values_are_drawn_as_they_would_have_been_typed(self) -> None:
        known = {
            "day": date(2026, 3, 14), "kinds": ["threats"], "warn": True, "read": True,
            "names": ["Sam", "Alex"], "premises": Premises.CAR, "ring": 3, "town": None, "unheard_of": 1,
        }  # fmt: skip
        form = Form(Story()).fill(known)

        again = Form(Story())
        again.take(typed(*((f.name, v) for f in form for v in f.values), story="x"))

        assert again.errors == {}
        assert {name: again.values[name] for name in known if name != "unheard_of"} == {
            name: value for name, value in known.items() if name != "unheard_of"
        }

    def test_an_unticked_box_is_drawn_unticked(self) -> None:
        assert Form(Story()).fill({"read": False})["read"].values == []

    def test_the_first_choice_carries_the_id_that_links_lead_to(self) -> None:
        ids = [option.id for option in taken(kinds="threats")["kinds"].choices]

        assert ids == ["kinds", "kinds-1", "kinds-2"]

    def test_a_passphrase_never_returns_to_the_page(self) -> None:
        assert taken(secret="correct horse")["secret"].value == ""

    def test_keeping_judges_nothing(self) -> None:
        form = Form(Story()).keep(typed(day="never"))

        assert form["day"].value == "never"
        assert form.errors == {}

    def test_plain_marshmallow_fields_are_drawn_too(self) -> None:
        class Plain(Schema):
            ok = fields.Boolean()
            some = fields.List(fields.String())
            on = fields.Date()
            word = fields.String()

        assert [field.widget for field in Form(Plain())] == ["checkbox", "checkboxes", "date", "text"]


class TestLists:
    def test_entries_left_empty_are_dropped(self) -> None:
        people = FormList(Person, "people")

        assert people.take(typed(**{"people-0.names": " ", "people-1.names": "Sam", "people-2.email": ""}))
        assert [values["names"] for values in people.values] == [["Sam"]]

    def test_every_wrong_entry_is_told(self) -> None:
        people = FormList(Person, "people")

        assert not people.take(typed(**{"people-0.email": "a", "people-1.email": "b"}))
        assert list(people.errors) == ["people-0.email", "people-1.email"]
        assert [problem.id for problem in error_summary(people)] == ["people-0-email", "people-1-email"]

    def test_the_button_adds_an_empty_entry_and_loses_nothing(self) -> None:
        people, pressed = FormList(Person, "people"), typed(**{"people-0.names": "Sam", "people.add": "1"})

        people.keep(pressed)
        if people.asked_to_add(pressed):
            people.add()

        assert [form["names"].value for form in people] == ["Sam", ""]

    def test_there_are_never_more_than_the_limit(self) -> None:
        people = FormList(Person, "people", limit=3)

        people.take(typed(**{"people-998.names": "Sam"}))
        people.add()

        assert len(people) == 3
        assert people.full

    def test_known_entries_fill_it(self) -> None:
        people = FormList(Person, "people", minimum=2).fill([{"names": ["Sam"]}, {}, {"names": ["Alex"]}])

        assert [form["names"].value for form in people] == ["Sam", "", "Alex"]
