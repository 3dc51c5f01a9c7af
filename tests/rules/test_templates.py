"""Templates and static files: they compile strictly, ask nothing of anybody else, and every message has its words."""

import json
import re
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import jinja2
import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po
from flask import Flask

from tests.rules.project import ROOT, sources
from ugly_mugs.languages import LANGUAGES
from ugly_mugs.outbox.models import MessageKind
from ugly_mugs.runtime import runtime

FILES = sorted(file for file in (ROOT / "templates").rglob("*") if file.is_file())
STATIC = sorted(file for file in (ROOT / "ugly_mugs" / "static").rglob("*") if file.is_file())
# Names of XML vocabularies are no addresses that anything is fetched from.
OUTSIDE = re.compile(r"(?:https?:)?//(?!www\.w3\.org/(?:2000/svg|1999/xlink)\b)[\w.-]+\.\w+", re.I)

# As `make check` extracts texts.
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_it_compiles(small: Flask, file: Path) -> None:
    small.jinja_env.compile(file.read_text("utf-8"), filename=str(file))


def test_no_page_promises_a_time_that_the_installation_decides() -> None:
    """When the desk is staffed is a setting, and backups are the operator's: nothing here knows how long they take."""
    promise = re.compile(r"working days?\b|\bwithin (?:a|an|one|some|two|\d+) ", re.I)

    assert promise.search("We read it within a working day.")
    assert [file.name for file in FILES if promise.search(file.read_text("utf-8"))] == []


def test_a_name_that_is_not_there_is_an_error(app: Flask) -> None:
    assert app.jinja_env.undefined is jinja2.StrictUndefined
    with pytest.raises(jinja2.UndefinedError):
        app.jinja_env.from_string("{{ misspelt }}").render()


def test_no_template_sees_the_configuration(app: Flask) -> None:
    assert "config" not in app.jinja_env.globals
    with app.test_request_context(), pytest.raises(jinja2.UndefinedError):
        app.jinja_env.from_string("{{ config }}").render(app.jinja_env.globals)


@pytest.mark.parametrize("file", [*FILES, *STATIC], ids=lambda file: str(file.relative_to(ROOT)))
def test_it_names_no_other_host(file: Path) -> None:
    assert OUTSIDE.findall(file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "text", ['<img src="https://cdn.example.org/x.png">', "url(//fonts.example.org/a.woff2)"]
)
def test_an_outside_address_would_be_found(text: str) -> None:
    assert OUTSIDE.search(text)


def test_every_kind_of_message_has_its_words(app: Flask) -> None:
    assert {spec.kind for spec in runtime(app).wiring.kinds} == set(MessageKind)


def written_in_english() -> set[str]:
    """Every text for people, in templates and code, as `make check` extracts it."""
    found = set()
    for method, files in (("jinja2", FILES), ("python", list(sources()))):
        for path in files:
            with path.open("rb") as file:
                for _line, text, _comments, _context in extract(method, file, keywords=KEYWORDS):
                    found.update([text] if isinstance(text, str) else filter(None, text))
    return found


def left_in_english(catalogue: BinaryIO) -> set[str]:
    translated = {
        text
        for entry in read_po(catalogue)
        if entry.string and all([entry.string] if isinstance(entry.string, str) else entry.string)
        for text in ([entry.id] if isinstance(entry.id, str) else entry.id)
    }
    return written_in_english() - translated


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"] or [None])
def test_every_text_exists_in_every_language_offered(language: str | None) -> None:
    """English stands in the templates and the code; any other language offered has a catalogue with all of it."""
    if language is None:
        assert list(LANGUAGES) == ["en"]
        return
    file = ROOT / "ugly_mugs" / "translations" / language / "LC_MESSAGES" / "messages.po"
    with file.open("rb") as catalogue:
        assert left_in_english(catalogue) == set()


def test_a_text_left_in_english_would_be_found() -> None:
    texts = sorted(written_in_english())
    lines = "".join(f'msgid {json.dumps(text, ensure_ascii=False)}\nmsgstr "x"\n\n' for text in texts[1:])
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'

    assert left_in_english(BytesIO((header + lines).encode())) == {texts[0]}


# The sandbox is an application of its own without `url_for`; its pages lead to nothing but its pages.
OF_THE_SERVICE = [file for file in FILES if file.parent.name != "sandbox"]
WRITTEN_OUT = re.compile(r"""(?:href|action|src)=["']?/|["']/[a-z-]*(?:["'/?#]|\{)""")


@pytest.mark.parametrize("file", OF_THE_SERVICE, ids=lambda file: str(file.relative_to(ROOT)))
def test_it_names_pages_by_their_endpoint(file: Path) -> None:
    """An address written out would lead nowhere once its room moves, and nothing would say so."""
    links = re.sub(r"request\.path\.startswith\([^%]*\)", "", file.read_text("utf-8"))

    assert WRITTEN_OUT.findall(links) == []


@pytest.mark.parametrize(
    "line",
    [
        '<a href="/desk/alerts">',
        "<form method=post action=/join>",
        '<img src="/static/icon.svg">',
        '{% set here = "/desk/reports/" ~ report.id %}',
        "<a href=\"{{ '/desk' if area == 'desk' else '/' }}\">",
    ],
)
def test_an_address_written_out_would_be_found(line: str) -> None:
    assert WRITTEN_OUT.search(line)


def test_every_endpoint_that_a_template_or_a_view_names_exists(app: Flask) -> None:
    named = {
        name
        for file in [*OF_THE_SERVICE, *sources()]
        for call in re.findall(r"(?:url_for|page_way|see_other)\([^)]*", file.read_text("utf-8"))
        for name in re.findall(r"['\"](\w+\.\w+)['\"]", call)
    }

    assert len(named) > 50
    assert named - app.view_functions.keys() == set()


def test_every_entry_of_the_navigation_leads_to_a_page(app: Flask) -> None:
    wiring = runtime(app).wiring
    named = {entry.endpoint for entry in wiring.navigation} | set(wiring.sign_in_pages.values())

    assert named <= app.view_functions.keys()
    assert len({(entry.area, entry.order) for entry in wiring.navigation}) == len(wiring.navigation)
