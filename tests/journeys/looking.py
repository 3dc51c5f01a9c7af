"""What is looked at on every page: axe in both themes, width, keyboard, and a title that says nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# Titles stand in histories and on tabs that others may see.
NEUTRAL_TITLES = {
    "Notices",
    "Help · Notices",
    "Who can read what · Notices",
    "Stop these messages · Notices",
    "Messages stopped · Notices",
}

# Everything a person can press or fill in; of a group of radio buttons Tab reaches one, the arrow keys the others.
KEYBOARD = """() => {
  const seen = element => element.checkVisibility({ visibilityProperty: true });
  const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
    .filter(each => each.type !== 'hidden' && each.tabIndex >= 0 && !each.disabled && seen(each));
  const groups = new Map();
  window.toReach = all.filter(each => {
    if (each.type !== 'radio') return true;
    const group = (each.form ? [...document.forms].indexOf(each.form) : -1) + each.name;
    if (groups.has(group)) return false;
    groups.set(group, true);
    return true;
  });
  window.reached = new Set();
  document.addEventListener('focusin', event => window.reached.add(event.target));
  // Tab begins at the top, also where the list of what is wrong has taken the focus.
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute('tabindex');
  return window.toReach.length;
}"""

RULES = "options => axe.run(document, options).then(results => results.violations)"

NOT_REACHED = """() => window.toReach
  .filter(each => ![...window.reached].some(got => got === each
      || (each.type === 'radio' && got.type === 'radio' && got.name === each.name)))
  .map(each => each.outerHTML.slice(0, 120))"""

TOO_WIDE = """() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
  [...document.querySelectorAll('body *')]
    .filter(each => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map(each => each.outerHTML.slice(0, 120)).slice(0, 5)"""


@dataclass
class Looker:
    """Looks at one page after the other and remembers every problem, so that one run tells all of them."""

    secrets: Sequence[str] = ()
    problems: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    _axe: Axe = field(default_factory=Axe)

    def __call__(self, page: Page, name: str) -> None:
        self.addresses.append(page.url)
        self._title_and_address(page, name)
        page.emulate_media(color_scheme="light")
        page.evaluate(self._axe.axe_script)
        self._rules(page, f"{name}, light")
        page.emulate_media(color_scheme="dark")
        # Of all rules only these can come out otherwise in the dark.
        self._rules(page, f"{name}, dark", {"runOnly": ["color-contrast", "link-in-text-block"]})
        page.emulate_media(color_scheme="light")
        self._width(page, name)
        self._keyboard(page, name)

    def _title_and_address(self, page: Page, name: str) -> None:
        title, address = page.title(), unquote(page.url).casefold()
        if title not in NEUTRAL_TITLES:
            self.problems.append(f"{name}: its title is {title!r}")
        self.problems += [
            f"{name}: {secret!r} stands in its address"
            for secret in self.secrets
            if secret.casefold() in address
        ]

    def _rules(self, page: Page, name: str, options: dict[str, object] | None = None) -> None:
        found = page.evaluate(RULES, {"resultTypes": ["violations"], **(options or {})})
        for violation in found:
            where = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
            self.problems.append(f"{name}: {violation['id']} ({violation['impact']}): {where}")

    def _width(self, page: Page, name: str) -> None:
        if wide := page.evaluate(TOO_WIDE):
            self.problems.append(f"{name}: scrolls sideways: {wide}")

    def _keyboard(self, page: Page, name: str) -> None:
        operable = page.evaluate(KEYBOARD)
        missed = self._tab(page, operable)
        if missed:
            # The three parts of a date are tabbed through one by one, so some pages need more.
            missed = self._tab(page, operable)
        if missed:
            self.problems.append(f"{name}: Tab does not reach {missed}")

    @staticmethod
    def _tab(page: Page, times: int) -> list[str]:
        for _press in range(times):
            page.keyboard.press("Tab")
        missed: list[str] = page.evaluate(NOT_REACHED)
        return missed
