"""Any text a person can type comes back as they typed it: through the page, the seal, and the page again."""

import unicodedata

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings, strategies as st

from tests.make.pages import Drawn, area_of, plain_words
from tests.make.reporter import behind, come_back, file, open_form, send
from ugly_mugs.web.form_fields import clean

TEXTS = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"]) | st.sampled_from("\n\t\"'<>&{}%\\"), max_size=300
)
LIMITS = settings(
    max_examples=25,
)


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    return app.test_client()


def same(one: str, other: str) -> bool:
    """As a person reads it: line ends as browsers send them, and one of several ways to write an accent."""
    return unicodedata.normalize("NFC", one.replace("\r\n", "\n")) == unicodedata.normalize("NFC", other)


@LIMITS
@given(text=TEXTS.filter(lambda text: clean(text, lines=True) != ""))
def test_an_account(visitor: FlaskClient, text: str) -> None:
    words = file(visitor, happened__account=text)

    kept = behind(words).contents.account
    come_back(visitor, words)
    shown = visitor.get("/receipt/report").text

    assert same(clean(text, lines=True), kept)
    assert (
        kept.split()
        == plain_words(shown.partition("<h3>What happened</h3>")[2].partition("</dl>")[0]).split()[2:]
    )


@LIMITS
@given(text=TEXTS, name=TEXTS)
def test_whatever_was_typed_when_the_form_is_drawn_again(visitor: FlaskClient, text: str, name: str) -> None:
    answer = send(
        visitor, open_form(visitor), happened__account=text, when__day="never", about_you__call_you=name
    )

    box = Drawn(answer.text).of("input", name="about_you.call_you")[0]
    assert answer.status_code == 400
    assert area_of(answer.text, "happened.account") == text
    assert box.get("value", "") == name


@LIMITS
@given(text=TEXTS.filter(lambda text: clean(text, lines=True) != ""))
def test_a_message(visitor: FlaskClient, text: str) -> None:
    words = file(visitor)
    come_back(visitor, words)
    page = visitor.get("/receipt/report").text
    csrf = Drawn(page).of("input", name="csrf")[0]["value"]

    visitor.post("/receipt/message", data={"csrf": csrf, "message.text": text})

    shown = visitor.get("/receipt/report").text.partition('<ol class="thread">')[2].partition("</ol>")[0]
    said = plain_words(shown.partition('<p class="kept">')[2].partition("</p>")[0])
    assert same(clean(text, lines=True).strip(), said.strip())
