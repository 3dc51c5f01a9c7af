"""Somebody in front of a browser window: what everybody does there, by the words they see."""

import re
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.make.processes.stack import Stack


@dataclass
class Person:
    """One person, one window. Fields and buttons are found by their labels, as a reader or a screen reader does."""

    stack: Stack
    window: BrowserContext

    def __post_init__(self) -> None:
        self.page: Page = self.window.new_page()

    def goes_to(self, path: str) -> None:
        self.page.goto(path)

    def fills(self, label: str, text: str) -> None:
        self.page.get_by_label(label).first.fill(text)

    def selects(self, label: str, choice: str) -> None:
        self.page.get_by_label(label).first.select_option(label=choice)

    def ticks(self, question: str, *answers: str) -> None:
        """Radio buttons and boxes of one question."""
        group = self.page.get_by_role("group", name=question)
        for answer in answers:
            group.get_by_label(answer, exact=True).check()

    def presses(self, button: str, *, within: Locator | None = None) -> None:
        # Every button of ours sends a form, so the next page is waited for.
        with self.page.expect_navigation():
            (within or self.page).get_by_role("button", name=button, exact=True).click()

    def follows(self, link: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=link).first.click()

    def sees(self, *words: str) -> None:
        for said in words:
            expect(self.page.locator("main")).to_contain_text(said)

    def does_not_see(self, *words: str) -> None:
        for said in words:
            expect(self.page.locator("body")).not_to_contain_text(said)

    def sees_no_button(self, button: str) -> None:
        expect(self.page.get_by_role("button", name=button, exact=True)).to_have_count(0)

    def is_at(self, path: str) -> None:
        expect(self.page).to_have_url(re.compile(re.escape(self.stack.web + path) + r"([?#].*)?$"))

    def reads_anew(self, words: str) -> bool:
        """Whether these words stand on the page after looking at it once more."""
        self.page.reload()
        return words in self.reads

    @property
    def reads(self) -> str:
        """Everything in the main part of the page."""
        return self.page.locator("main").inner_text()
