"""Somebody with a browser that knows nothing but links and forms, which is all that any page needs."""

import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

EMPTY = frozenset({"input", "meta", "link", "br", "hr", "img", "path", "rect"})
TYPED = frozenset({"input", "textarea", "select"})
READY_CHOSEN = frozenset({"checkbox", "radio"})


@dataclass
class Element:
    """One element of a page."""

    tag: str
    attributes: dict[str, str]
    parent: "Element | None" = None
    children: list["Element | str"] = field(default_factory=list)

    def all(self, *tags: str) -> Iterator["Element"]:
        for child in self.children:
            if isinstance(child, Element):
                if child.tag in tags:
                    yield child
                yield from child.all(*tags)

    @property
    def text(self) -> str:
        """The words of it, white space folded."""
        pieces = [child if isinstance(child, str) else child.text for child in self.children]
        return " ".join(" ".join(pieces).split())

    @property
    def exact(self) -> str:
        return "".join(child for child in self.children if isinstance(child, str))

    def within(self, tag: str) -> "Element | None":
        above = self.parent
        while above is not None and above.tag != tag:
            above = above.parent
        return above


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self.here = Element("page", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.children.append(element)
        if tag not in EMPTY:
            self.here = element

    def handle_endtag(self, tag: str) -> None:
        above: Element | None = self.here
        while above is not None and above.tag != tag:
            above = above.parent
        if above is not None and above.parent is not None:
            self.here = above.parent

    def handle_data(self, data: str) -> None:
        self.here.children.append(data)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """A 303 is followed with a GET; whatever else happens is looked at as a page."""


@dataclass
class Visitor:
    """One browser window. `fills` and `ticks` go by the words beside a field, as a person does."""

    base: str
    status: int = 0
    path: str = ""
    page: Element = field(default_factory=lambda: Element("page", {}))
    _typed: dict[int, str | list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.jar = http.cookiejar.CookieJar()
        # The cookie jar of the standard library takes no `Secure` cookie over http, as a browser would not.
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.jar), _Redirects(), urllib.request.ProxyHandler({})
        )

    def goes_to(self, path: str) -> "Visitor":
        return self._open(urllib.request.Request(urllib.parse.urljoin(self.base + self.path, path)))

    def follows(self, words: str) -> "Visitor":
        found = [link for link in self.page.all("a") if words in link.text]
        assert found, f"no link {words!r} at {self.path}: {self.page.text[:2000]}"
        return self.goes_to(found[0].attributes["href"])

    def fills(self, label: str, value: str) -> "Visitor":
        """A text, or for a list to choose from, the words of one of its answers."""
        control = self._labelled(label)
        if control.tag == "select":
            value = next(each.attributes["value"] for each in control.all("option") if each.text == value)
        self._typed[id(control)] = value
        return self

    def ticks(self, *answers: str, under: str = "") -> "Visitor":
        """Boxes and radio buttons by the words beside them; `under` is their question where an answer stands twice."""
        for answer in answers:
            box = self._labelled(answer, question=under, among=READY_CHOSEN)
            if box.attributes["type"] == "radio":
                form = box.within("form")
                for other in form.all("input") if form else ():
                    if other.attributes.get("name") == box.attributes["name"]:
                        self._typed[id(other)] = []
            self._typed[id(box)] = [box.attributes.get("value", "on")]
        return self

    def presses(self, words: str, *, beside: str = "") -> "Visitor":
        """The button with these words; `beside` says which of several, by words of its row or section."""
        found = [
            button
            for button in self.page.all("button")
            if button.text == words and (not beside or beside in _surroundings(button))
        ]
        assert found, f"no button {words!r} at {self.path} ({self.status}): {self.page.text[:3000]}"
        return self._send(found[0])

    @property
    def receipt(self) -> str:
        """The words a page shows once, to be written down."""
        box = next(each for each in self.page.all("div", "p") if each.attributes.get("class") == "receipt")
        return next((inner.text for inner in box.all("p")), box.text)

    @property
    def heading(self) -> str:
        return next(each.text for each in self.page.all("h1"))

    def written(self, label: str) -> str:
        """What stands in a text field."""
        return self._labelled(label).exact.removeprefix("\n")

    def sees(self, *words: str) -> "Visitor":
        for each in words:
            assert each in self.page.text, (
                f"no {each!r} at {self.path} ({self.status}): {self.page.text[:3000]}"
            )
        return self

    def _labelled(self, label: str, *, question: str = "", among: frozenset[str] = frozenset()) -> Element:
        by_id = {each.attributes["id"]: each for each in self.page.all(*TYPED) if "id" in each.attributes}
        exact, begun = [], []
        for words in self.page.all("label"):
            target = by_id.get(words.attributes.get("for", ""))
            if target is None:
                target = next(words.all(*TYPED), None)
            if target is None or bool(among) != (target.attributes.get("type") in READY_CHOSEN):
                continue
            if question and question not in _legend(words):
                continue
            if words.text == label:
                exact.append(target)
            elif words.text.startswith(label):
                begun.append(target)
        found = exact or begun
        assert found, f"no field {question} {label!r} at {self.path}: {self.page.text[:3000]}"
        return found[0]

    def _send(self, button: Element) -> "Visitor":
        form = button.within("form")
        assert form is not None, f"the button {button.text!r} belongs to no form"
        fields = [pair for each in form.all(*TYPED) for pair in self._pairs(each)]
        if "name" in button.attributes:
            fields.append((button.attributes["name"], button.attributes.get("value", "")))
        action = urllib.parse.urljoin(self.base + self.path, form.attributes.get("action", ""))
        encoded = urllib.parse.urlencode(fields)
        if form.attributes.get("method", "get").lower() == "get":
            return self._open(urllib.request.Request(f"{action.partition('?')[0]}?{encoded}"))
        headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
        return self._open(urllib.request.Request(action, encoded.encode(), headers))

    def _pairs(self, control: Element) -> list[tuple[str, str]]:
        attributes = control.attributes
        if "name" not in attributes or "disabled" in attributes:
            return []
        name, typed = attributes["name"], self._typed.get(id(control))
        if isinstance(typed, list):
            return [(name, value) for value in typed]
        if typed is not None:
            return [(name, typed)]
        if control.tag == "textarea":
            return [(name, control.exact.removeprefix("\n"))]
        if control.tag == "select":
            chosen = [each for each in control.all("option") if "selected" in each.attributes]
            first = chosen or list(control.all("option"))[:1]
            return [(name, each.attributes.get("value", each.text)) for each in first]
        if attributes.get("type") in READY_CHOSEN:
            return [(name, attributes.get("value", "on"))] if "checked" in attributes else []
        return [(name, attributes.get("value", ""))]

    def _open(self, request: urllib.request.Request) -> "Visitor":
        try:
            with self._opener.open(request, timeout=60) as answer:
                body, url, self.status = answer.read(), answer.url, answer.status
        except urllib.error.HTTPError as error:
            body, url, self.status = error.read(), error.url, error.code
        reader = _Reader()
        reader.feed(body.decode("utf-8", "replace"))
        self.page, self._typed = reader.root, {}
        self.path = urllib.parse.urlsplit(url).path
        return self


def _legend(element: Element) -> str:
    fieldset = element.within("fieldset")
    return next((each.text for each in fieldset.all("legend")), "") if fieldset else ""


def _surroundings(button: Element) -> str:
    for tag in ("tr", "li", "section", "article", "form"):
        around = button.within(tag)
        if around is not None:
            return around.text
    return ""
