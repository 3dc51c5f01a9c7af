"""The page for people: every phone with a reply box, every inbox, and the demo logins with their current codes."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ugly_mugs.sandbox.demo import STEP, read_demo
from ugly_mugs.sandbox.mail_reader import Letter, read_mail
from ugly_mugs.sandbox.memory import Kind, Mail, Memory, Text
from ugly_mugs.sandbox.provider import Provider
from ugly_mugs.sandbox.twilio.replies import CannotReply, can_be_answered
from ugly_mugs.sandbox.twilio.segments import count_segments

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-src 'self'; "
    "frame-ancestors 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
SIDES = {Kind.SERVICE: "theirs", Kind.PERSON: "mine", Kind.PROVIDER: "provider"}
REFRESH_SECONDS = 3
PHONES_SHOWN = 20
INBOXES_SHOWN = 20
TEXTS_SHOWN = 12
MAILS_SHOWN = 5
ALL_SHOWN = 500


class Views:
    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._stylesheet = (TEMPLATES / "sandbox" / "sandbox.css").read_text("utf-8")
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._home),
            web.get("/logins", self._logins),
            web.get("/sandbox.css", self._css),
            web.get("/phones/{number}", self._phone),
            web.post("/phones/{number}/reply", self._reply),
            web.get("/inboxes/{address}", self._inbox),
            web.post("/inboxes/{address}/{place}/unsubscribe", self._unsubscribe),
        ]

    @web.middleware
    async def not_found(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            return self._problem(404, "The sandbox has no such page.")

    async def _home(self, request: web.Request) -> web.Response:
        memory, demo = self._provider.memory, read_demo(self._provider.settings.demo_file)
        phones = list(reversed(memory.phones))
        phones += [phone for phone, _ in demo.members if phone and phone not in memory.phones]
        inboxes = memory.inboxes()
        inboxes += [email for _, email in demo.members if email and email.lower() not in inboxes]
        wanted = request.query.get("find", "").strip()
        if wanted:
            digits = wanted.replace(" ", "").lower()
            phones = [number for number in phones if digits in number]
            inboxes = [address for address in inboxes if wanted.lower() in address]
        return self._page(
            "home.html",
            phones=[phone_screen(memory, number, TEXTS_SHOWN) for number in phones[:PHONES_SHOWN]],
            inboxes=[inbox_screen(memory, address, MAILS_SHOWN) for address in inboxes[:INBOXES_SHOWN]],
            phone_count=len(phones),
            inbox_count=len(inboxes),
            more_phones=max(0, len(phones) - PHONES_SHOWN),
            more_inboxes=max(0, len(inboxes) - INBOXES_SHOWN),
            text_count=memory.from_service,
            mail_count=memory.mail_count,
            waiting=self._provider.waiting,
            elsewhere=self._provider.web_client.answers["elsewhere"],
            demo=demo,
            wanted=wanted,
            refresh=REFRESH_SECONDS if request.query.get("refresh") == "on" else None,
        )

    async def _logins(self, request: web.Request) -> web.Response:
        """A frame that reloads with each new code, so that the page around it keeps a half-written reply."""
        now = time.time()
        demo = read_demo(self._provider.settings.demo_file)
        page = self._page(
            "logins.html", staff=[(login, login.code(now)) for login in demo.staff], web=demo.web
        )
        page.headers["Refresh"] = str(STEP - int(now % STEP))
        return page

    async def _css(self, request: web.Request) -> web.Response:
        return web.Response(text=self._stylesheet, content_type="text/css", headers=HEADERS)

    async def _phone(self, request: web.Request) -> web.Response:
        screen = phone_screen(self._provider.memory, request.match_info["number"], ALL_SHOWN)
        return self._page("phone.html", phone=screen)

    async def _inbox(self, request: web.Request) -> web.Response:
        screen = inbox_screen(self._provider.memory, request.match_info["address"], ALL_SHOWN)
        return self._page("inbox.html", inbox=screen)

    async def _reply(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        body = str((await request.post()).get("body", ""))
        try:
            self._provider.replies.send(number, body.replace("\r\n", "\n"))
        except CannotReply as problem:
            return self._problem(400, str(problem))
        back = f"/phones/{quote(number)}" if request.query.get("back") == "phone" else f"/#{quote(number)}"
        return _see_other(back)

    async def _unsubscribe(self, request: web.Request) -> web.Response:
        """Does what a mail program does when its reader presses *unsubscribe*: one POST, no cookie, no page."""
        address, place = request.match_info["address"], request.match_info["place"]
        mails = self._provider.memory.inbox(address)
        mail = next((mail for mail in mails if str(mail.place) == place), None)
        letter = read_mail(mail) if mail else None
        if mail is None or letter is None or not letter.is_one_click or not letter.unsubscribe_link:
            return self._problem(404, "This mail cannot be unsubscribed from in one click.")
        mail.unsubscribed = await self._provider.unsubscribe(letter.unsubscribe_link, order=mail.place)
        return _see_other(f"/inboxes/{quote(address)}")

    def _page(self, template: str, *, status: int = 200, **values: object) -> web.Response:
        page = self._templates.get_template(f"sandbox/{template}").render(values)
        return web.Response(status=status, text=page, content_type="text/html", headers=HEADERS)

    def _problem(self, status: int, problem: str) -> web.Response:
        return self._page("problem.html", status=status, problem=problem)


def _see_other(location: str) -> web.Response:
    return web.Response(status=303, headers={"Location": location, **HEADERS})


@dataclass(frozen=True, slots=True)
class Bubble:
    side: str
    sender: str
    body: str
    at: str
    note: str
    arrived: bool


@dataclass(frozen=True, slots=True)
class Phone:
    number: str
    link: str
    bubbles: list[Bubble]
    earlier: int
    stopped: bool
    sender: str | None
    can_reply: bool


@dataclass(frozen=True, slots=True)
class Envelope:
    place: int
    at: str
    letter: Letter
    said: str | None


@dataclass(frozen=True, slots=True)
class Inbox:
    address: str
    link: str
    envelopes: list[Envelope]
    earlier: int


def phone_screen(memory: Memory, number: str, most: int) -> Phone:
    """The newest texts of a phone, newest first, and whether a reply could reach anybody."""
    thread = memory.phones.get(number, [])
    sender = memory.last_sender(number)
    return Phone(
        number=number,
        link=f"/phones/{quote(number)}",
        bubbles=[_bubble(text) for text in reversed(thread[-most:])],
        earlier=max(0, len(thread) - most),
        stopped=any(stopped == number for _, stopped in memory.blocks),
        sender=sender,
        can_reply=sender is not None and can_be_answered(sender),
    )


def inbox_screen(memory: Memory, address: str, most: int) -> Inbox:
    mails = memory.inbox(address, most)
    return Inbox(
        address=address,
        link=f"/inboxes/{quote(address)}",
        envelopes=[_envelope(mail) for mail in mails],
        earlier=memory.inbox_size(address) - len(mails),
    )


def _envelope(mail: Mail) -> Envelope:
    said = None
    if mail.unsubscribed is not None:
        said = f"The website answered {mail.unsubscribed}." if mail.unsubscribed else "Nobody answered there."
    return Envelope(mail.place, _time_of_day(mail.received_at), read_mail(mail), said)


def _bubble(text: Text) -> Bubble:
    status = text.status()
    notes = [status] if text.kind is Kind.SERVICE else []
    if status in ("undelivered", "failed"):
        notes.append(f"error {text.error_code}")
    parts = count_segments(text.body)
    if parts > 1:
        notes.append(f"{parts} parts")
    if text.deleted or text.redacted:
        notes.append("deleted at the provider" if text.deleted else "emptied at the provider")
    return Bubble(
        side=SIDES[text.kind],
        sender=text.sender,
        body=text.body,
        at=_time_of_day(text.accepted_at),
        note=" · ".join(notes),
        arrived=status not in ("undelivered", "failed"),
    )


def _time_of_day(moment: float) -> str:
    """Local time without a date, as a sandbox seldom runs for longer than a day."""
    return datetime.fromtimestamp(moment, UTC).astimezone().strftime("%H:%M:%S")
