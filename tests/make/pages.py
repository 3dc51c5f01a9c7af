"""What stands on a page: its fields, as a browser would take them, and its words."""

import html
import re
from html.parser import HTMLParser

from werkzeug.test import TestResponse


def hidden(page: TestResponse | str, name: str) -> str:
    """The value of a page's first hidden field of this name."""
    text = page if isinstance(page, str) else page.text
    found = re.search(rf'name="{re.escape(name)}" value="([^"]*)"', text)
    assert found is not None, f"the page has no hidden field {name}"
    return html.unescape(found[1])


def plain_words(page: str) -> str:
    """A page without its tags."""
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def area_of(page: str, name: str) -> str:
    return Drawn(page).texts[name]


def box_of(page: str, name: str) -> str:
    """What stands in a one-line box."""
    found = Drawn(page).of("input", name=name)
    assert found, f"no box named {name}"
    return found[0].get("value", "")


class Drawn(HTMLParser):
    """What a page holds, as a browser would take it: elements with attributes, and the text of text areas."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, str] = {}
        self._area: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        self.elements.append((tag, held))
        if tag == "textarea":
            self._area = held["name"]
            self.texts[self._area] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area is not None:
            # A browser drops one line end right after the opening tag.
            self.texts[self._area] = self.texts[self._area].removeprefix("\n")
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.texts[self._area] += data

    def of(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        return [held for name, held in self.elements if name == tag and wanted.items() <= held.items()]
