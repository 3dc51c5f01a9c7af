"""Takes pictures of the main pages into `build/pictures`: `python -m tests.journeys.pictures`, or `make pictures`."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Page

from tests.journeys.browser import NARROW, WIDE, Windows, chromium
from tests.journeys.tour import Tour
from tests.make.processes.stack import ROOT, installed

FOLDER = ROOT / "build" / "pictures"

# The stops of the tour that are worth a picture, and what the picture is called.
SHOWN: Mapping[str, str] = {
    "/": "welcome",
    "/report": "report",
    "the receipt": "receipt",
    "a warning that waits for its reporter": "seen-by-its-reporter",
    "/join": "join",
    "/alerts": "members-notices",
    "/alerts/preferences": "members-settings",
    "somebody wants to join": "vetting",
    "/desk": "desk",
    "a report nobody has taken": "desk-report",
    "words to hide": "desk-redaction",
    "a draft": "desk-draft",
    "a draft that says too much": "desk-leak-check",
    "submitted, as somebody who may approve sees it": "desk-decision",
    "an alert that was sent": "desk-live",
}


def take(page: Page, name: str) -> None:
    """The page as it is, on a small dark and a large light screen."""
    if name not in SHOWN:
        return
    for screen, width, theme in (("small-dark", NARROW, "dark"), ("large-light", WIDE, "light")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]  # one of two literals, above
        page.screenshot(path=FOLDER / f"{SHOWN[name]}-{screen}.png", full_page=True)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        installed("sqlite", Path(folder)) as stack,
        chromium() as browser,
    ):
        stack.start()
        stack.wait_ready()
        windows = Windows(browser, stack.web)
        Tour(stack, windows, take, width=WIDE, scripts=False).walk()
        windows.close()
    print(f"The pictures are in {FOLDER.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
