"""Templates: accessible, discreet, strict, and asking nothing of anybody else."""

import re

import pytest
from flask import Flask, render_template, render_template_string
from hypothesis import given, strategies as st
from werkzeug.datastructures import MultiDict

from tests.make.pages import Drawn
from tests.web.drawing import ERRORS, EVERY_PAGE, FORM_PAGE, Everything, Person, page_of
from ugly_mugs.web.forms import Form, FormList, error_summary


class TestEveryPage:
    @pytest.mark.parametrize("path", EVERY_PAGE)
    def test_it_names_its_language_and_hides_from_searching(self, small: Flask, path: str) -> None:
        page = page_of(small, path)

        assert page.of("html", lang="en")
        assert page.of("meta", name="robots", content="noindex, nofollow, noarchive")
        assert len(page.of("h1")) == 1
        assert page.of("main", id="main")

    @pytest.mark.parametrize("path", EVERY_PAGE)
    def test_ids_are_unique_and_whatever_is_pointed_at_exists(self, small: Flask, path: str) -> None:
        page = page_of(small, path)
        ids = [held["id"] for _, held in page.elements if "id" in held]

        pointed = [
            target
            for _, held in page.elements
            for target in [*held.get("aria-describedby", "").split(), *held.get("for", "").split()]
        ] + [held["href"][1:] for held in page.of("a") if held["href"].startswith("#")]

        assert len(ids) == len(set(ids))
        assert set(pointed) <= set(ids)

    @pytest.mark.parametrize("path", EVERY_PAGE)
    def test_it_holds_no_inline_style_or_script_and_nothing_from_elsewhere(
        self, small: Flask, path: str
    ) -> None:
        page = page_of(small, path)

        assert page.of("style") == []
        for tag, held in page.elements:
            assert "style" not in held
            assert not [name for name in held if name.startswith("on")]
            if tag in ("link", "script", "img", "form", "a"):
                target = held.get("href") or held.get("src") or held.get("action") or "/"
                assert target.startswith(("/", "#")) and not target.startswith("//"), target

    @pytest.mark.parametrize("path", [path for path in EVERY_PAGE if path != "/parts"])
    def test_every_page_outside_the_desk_has_the_way_out(self, small: Flask, path: str) -> None:
        assert page_of(small, path).of("a", href="/leave")

    def test_the_desk_has_a_navigation_of_its_own(self, small: Flask) -> None:
        page = page_of(small, "/parts")

        assert page.of("a", href="/desk/sign-in")
        assert not page.of("a", href="/join")
        assert not page.of("a", href="/leave")

    @pytest.mark.parametrize("path", EVERY_PAGE)
    def test_titles_say_nothing_of_what_this_is(self, small: Flask, path: str) -> None:
        title = re.search(r"<title>(.*?)</title>", small.test_client().get(path).text, re.S)

        assert title and "Notices" in title[1]
        assert not re.search(r"mug|sex|report|victim|police|danger|alert|violen", title[1], re.I)

    def test_the_page_one_is_on_is_marked(self, small: Flask) -> None:
        assert page_of(small, "/help").of("a", href="/help")[0]["aria-current"] == "page"


class TestFields:
    def test_every_input_has_a_label_or_legend(self, small: Flask) -> None:
        page = page_of(small, "/words")
        labelled = {held["for"] for held in page.of("label")}

        for tag in ("input", "textarea", "select"):
            for held in page.of(tag):
                assert held.get("type") == "hidden" or held["id"] in labelled
        assert len(page.of("fieldset")) == len(page.of("legend")) == 3

    def test_hint_and_error_are_tied_to_their_input(self, small: Flask) -> None:
        page = page_of(small, "/words", story=" ")

        story = page.of("textarea", name="story")[0]
        assert story["aria-describedby"] == "story-hint story-error"
        assert story["aria-invalid"] == "true"
        assert page.of("fieldset", **{"aria-describedby": "kinds-hint kinds-error"})
        assert page.of("p", id="story-error", **{"class": "error"})

    def test_the_summary_leads_to_each_field_that_is_wrong(self, small: Flask) -> None:
        page = page_of(small, "/words", email="kim")

        links = [
            held["href"] for held in page.of("a") if held["href"].startswith("#") and held["href"] != "#main"
        ]
        assert links == ["#story", "#kinds", "#when", "#place", "#town", "#email"]

    def test_an_untouched_form_shows_no_error(self, small: Flask) -> None:
        page = page_of(small, "/words")

        assert not page.of("p", **{"class": "error"})
        assert not page.of("div", role="alert")

    def test_nothing_is_remembered_by_the_browser_unless_asked(self, small: Flask) -> None:
        page = page_of(small, "/words")

        assert page.of("textarea", name="story", autocomplete="off")
        assert page.of("input", name="town", autocomplete="off")
        assert page.of("input", name="email", autocomplete="email")

    def test_chosen_stays_chosen_and_a_passphrase_is_not_drawn(self, small: Flask) -> None:
        typed = {
            "kinds": "kind-3",
            "when": "today",
            "place": "car",
            "read": "yes",
            "secret": "six words",
            "day": "x",
        }
        page = page_of(small, "/words", **typed)

        assert "checked" in page.of("input", value="kind-3")[0]
        assert "checked" in page.of("input", value="today")[0]
        assert "selected" in page.of("option", value="car")[0]
        assert "checked" in page.of("input", name="read")[0]
        assert "value" not in page.of("input", name="secret")[0]
        assert page.of("input", name="day", value="x")

    @given(text=st.text(st.characters(exclude_characters="\x00\r", exclude_categories=["Cs"]), min_size=1))
    def test_any_text_comes_back_exactly_as_typed(self, small: Flask, text: str) -> None:
        with small.test_request_context("/words"):
            form = Form(Everything())
            form.take(MultiDict({"story": text, "town": text, "token": text}))
            page = Drawn(
                render_template_string(
                    FORM_PAGE, form=form, people=FormList(Person, "people"), problems=error_summary(form)
                )
            )

        assert page.texts["story"] == text
        assert page.of("input", name="town")[0]["value"] == text
        assert page.of("input", name="token")[0]["value"] == text


class TestErrors:
    @pytest.mark.parametrize("status", ERRORS)
    def test_it_says_what_to_do(self, small: Flask, status: int) -> None:
        text = small.test_client().get(f"/wrong/{status}").text
        main = re.sub(r"<[^>]+>", " ", text[text.index("<main") : text.index("</main>")])

        assert re.search(r"please|try|start|go to|open|ask|add|may have", main, re.I)
        assert "Go to the first page" in main

    def test_what_was_typed_is_there_to_be_sent_again(self, small: Flask) -> None:
        page = page_of(small, "/wrong/503", **{"what.story": "A long text.\n" * 9, "what.day": "2026-03-14"})

        assert page.texts["what.story"] == "A long text.\n" * 9
        assert page.of("input", type="hidden", name="what.day", value="2026-03-14")
        assert page.of("form", method="post")

    def test_what_a_view_says_is_shown_and_escaped(self, small: Flask) -> None:
        with small.test_request_context("/desk/reports"):
            text = render_template(
                "errors/409.html", message="Kim & <Sam>", typed=[], again=False, status=409
            )

        assert "Kim &amp; &lt;Sam&gt;" in text
        assert 'href="/desk/sign-in"' in text
