"""Any text a person can type comes back as they typed it: through the page, the seal, and the page again."""

import unicodedata

from flask.testing import FlaskClient
from hypothesis import given, settings, strategies as st

from tests.make.pages import Drawn, area_of, plain_words
from tests.make.reporter import come_back, file, file_and_open, open_form, send, stored
from ugly_mugs.web.form_fields import clean

TEXTS = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"]) | st.sampled_from("\n\t\"'<>&{}%\\"), max_size=300
)
LIMITS = settings(max_examples=25)


def same(one: str, other: str) -> bool:
    """As a person reads it: line ends as browsers send them, and one of several ways to write an accent."""
    return unicodedata.normalize("NFC", one.replace("\r\n", "\n")) == unicodedata.normalize("NFC", other)


@LIMITS
@given(text=TEXTS.filter(lambda text: clean(text, lines=True) != ""))
def test_an_account(client: FlaskClient, text: str) -> None:
    words = file(client, happened__account=text)

    kept = stored(words).contents.account
    come_back(client, words)
    shown = client.get("/receipt/report").text

    assert same(clean(text, lines=True), kept)
    assert (
        kept.split()
        == plain_words(shown.partition("<h3>What happened</h3>")[2].partition("</dl>")[0]).split()[2:]
    )


@LIMITS
@given(text=TEXTS, name=TEXTS)
def test_whatever_was_typed_when_the_form_is_drawn_again(client: FlaskClient, text: str, name: str) -> None:
    answer = send(
        client, open_form(client), happened__account=text, when__day="never", about_you__call_you=name
    )

    box = Drawn(answer.text).of("input", name="about_you.call_you")[0]
    assert answer.status_code == 400
    assert area_of(answer.text, "happened.account") == text
    assert box.get("value", "") == name


@LIMITS
@given(text=TEXTS.filter(lambda text: clean(text, lines=True) != ""))
def test_a_message(client: FlaskClient, text: str) -> None:
    file_and_open(client)
    page = client.get("/receipt/report").text
    csrf = Drawn(page).of("input", name="csrf")[0]["value"]

    client.post("/receipt/message", data={"csrf": csrf, "message.text": text})

    shown = client.get("/receipt/report").text.partition('<ol class="thread">')[2].partition("</ol>")[0]
    said = plain_words(shown.partition('<p class="kept">')[2].partition("</p>")[0])
    assert same(clean(text, lines=True).strip(), said.strip())
