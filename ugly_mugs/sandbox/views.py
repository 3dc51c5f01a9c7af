"""The page for people: each phone with a reply box, each inbox, and the demo logins with their current codes."""

import time
from pathlib import Path
from urllib.parse import quote, unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ugly_mugs.sandbox.demo import STEP, Demo, read_demo
from ugly_mugs.sandbox.reading import read
from ugly_mugs.sandbox.replies import CannotReply
from ugly_mugs.sandbox.screens import inbox_screen, phone_screen
from ugly_mugs.sandbox.service import Service
from ugly_mugs.sandbox.wire import Reply, Request

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
HTML = "text/html; charset=utf-8"
SAFETY = (
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-src 'self'; "
        "frame-ancestors 'self'; base-uri 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)
REFRESH_SECONDS = 3
PHONES_SHOWN = 20
INBOXES_SHOWN = 20
TEXTS_SHOWN = 12
MAILS_SHOWN = 5
ALL_SHOWN = 500


class Views:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._stylesheet = (TEMPLATES / "sandbox" / "sandbox.css").read_bytes()
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip

    async def answer(self, request: Request) -> Reply:
        match request.method, [unquote(part) for part in request.path.split("/")[1:]]:
            case "GET", [""]:
                return self._home(request)
            case "GET", ["logins"]:
                return self._logins()
            case "GET", ["sandbox.css"]:
                return Reply(200, self._stylesheet, "text/css; charset=utf-8", SAFETY)
            case "GET", ["phones", number]:
                return self._one_phone(number)
            case "POST", ["phones", number, "reply"]:
                return self._reply(number, request)
            case "GET", ["inboxes", address]:
                return self._one_inbox(address)
            case "POST", ["inboxes", address, place, "unsubscribe"]:
                return await self._unsubscribe(address, place)
        return self._page("problem.html", status=404, problem="The sandbox has no such page.")

    def _page(self, template: str, *, status: int = 200, **values: object) -> Reply:
        body = self._templates.get_template(f"sandbox/{template}").render(values)
        return Reply(status, body.encode(), HTML, SAFETY)

    def _home(self, request: Request) -> Reply:
        memory, demo = self._service.memory, self._demo()
        asked = request.asked()
        phones = list(reversed(memory.phones))
        phones += [phone for phone, _ in demo.members if phone and phone not in memory.phones]
        inboxes = memory.inboxes()
        inboxes += [email for _, email in demo.members if email and email.lower() not in inboxes]
        wanted = asked.get("find", "").strip()
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
            waiting=self._service.waiting,
            elsewhere=self._service.caller.answers["elsewhere"],
            demo=demo,
            wanted=wanted,
            refresh=REFRESH_SECONDS if asked.get("refresh") == "on" else None,
        )

    def _logins(self) -> Reply:
        """A frame of its own, so that the codes stay current while a half-written reply stays put."""
        now = time.time()
        remaining = STEP - int(now % STEP)
        demo = self._demo()
        staff = [(login, login.code(now)) for login in demo.staff]
        page = self._page("logins.html", staff=staff, web=demo.web)
        page.headers += (("Refresh", str(remaining)),)
        return page

    def _one_phone(self, number: str) -> Reply:
        return self._page("phone.html", phone=phone_screen(self._service.memory, number, ALL_SHOWN))

    def _one_inbox(self, address: str) -> Reply:
        return self._page("inbox.html", inbox=inbox_screen(self._service.memory, address, ALL_SHOWN))

    def _reply(self, number: str, request: Request) -> Reply:
        try:
            self._service.replies.send(number, request.form().get("body", "").replace("\r\n", "\n"))
        except (CannotReply, ValueError) as problem:
            return self._page("problem.html", status=400, problem=str(problem))
        back = f"/phones/{quote(number)}" if request.asked().get("back") == "phone" else f"/#{quote(number)}"
        return Reply(303, headers=(("Location", back), *SAFETY))

    async def _unsubscribe(self, address: str, place: str) -> Reply:
        """What a mail program does when somebody presses its own button: one POST, no cookie, no page."""
        mail = next((mail for mail in self._service.memory.inbox(address) if str(mail.place) == place), None)
        letter = read(mail) if mail else None
        if mail is None or letter is None or not letter.is_one_click or not letter.unsubscribe_link:
            return self._page(
                "problem.html", status=404, problem="This mail cannot be unsubscribed from in one click."
            )
        status = await self._service.unsubscribe(letter.unsubscribe_link, order=mail.place)
        mail.unsubscribed = status
        return Reply(303, headers=(("Location", f"/inboxes/{quote(address)}"), *SAFETY))

    def _demo(self) -> Demo:
        return read_demo(self._service.settings.demo_file)
