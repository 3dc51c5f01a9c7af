"""The mail server, used by Python's smtplib and, for what smtplib would not send, line by line."""

import smtplib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

import pytest

from tests.make.sandbox import Sandbox
from tests.sandbox.conftest import wait_until
from ugly_mugs.sandbox.mail_server import MAX_SIZE

ASH = "ash@example.org"


@pytest.fixture
def smtp(sandbox: Sandbox) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port) as smtp:
        yield smtp


class Wire:
    """A client that sends lines as they are given."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._socket = socket.create_connection(("127.0.0.1", sandbox.smtp_port), timeout=5)
        self._lines = self._socket.makefile("rb")
        assert self.hear() == 220

    def hear(self) -> int:
        while line := self._lines.readline():
            if line[3:4] == b" ":
                return int(line[:3])
        return 0

    def say(self, *lines: bytes) -> list[int]:
        """All lines in one packet, and one answer for each."""
        self._socket.sendall(b"".join(line + b"\r\n" for line in lines))
        return [self.hear() for _ in lines]

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)


@pytest.fixture
def wire(sandbox: Sandbox) -> Wire:
    wire = Wire(sandbox)
    assert wire.say(b"EHLO test.example") == [250]
    return wire


def letter(text: str = "Hello,\nthere is a new notice.\n") -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = "Notices <notices@example.org>"
    message["To"] = ASH
    message["Subject"] = "A new notice"
    message.set_content(text)
    return message


class TestTaking:
    def test_a_mail_is_kept_in_each_recipients_inbox(self, sandbox: Sandbox, smtp: smtplib.SMTP) -> None:
        smtp.send_message(letter(), "bounce+1@example.org", [ASH, "Briar@Example.org"])

        [mail] = sandbox.mails_to("briar@example.org")
        assert mail["subject"] == "A new notice"
        assert mail["text"] == "Hello,\nthere is a new notice.\n"
        assert mail["envelope_from"] == "bounce+1@example.org"
        assert mail["envelope_to"] == [ASH, "Briar@Example.org"]
        assert sandbox.mails_to(ASH) == [mail]
        assert sandbox.mail_count() == 1

    def test_every_byte_arrives_as_it_was_sent(self, sandbox: Sandbox, smtp: smtplib.SMTP) -> None:
        raw = letter("é 停止 🌧\n").as_bytes() + b".\r\n..two dots\r\n.\r\nthe end, without a line break"

        smtp.sendmail("a@example.org", [ASH], raw)

        assert sandbox.mails_to(ASH)[0]["raw"] == raw.decode() + "\r\n"

    @pytest.mark.parametrize("cut", range(1, 12))
    def test_an_ending_cut_in_two_packets_is_still_the_ending(
        self, sandbox: Sandbox, wire: Wire, cut: int
    ) -> None:
        wire.say(b"MAIL FROM:<a@example.org>", b"RCPT TO:<ash@example.org>", b"DATA")
        data = b"X: 1\r\n\r\n.\r\n"

        wire.send(data[:cut])
        threading.Event().wait(0.02)
        wire.send(data[cut:])

        assert wire.hear() == 250
        assert sandbox.mails_to(ASH)[0]["raw"] == "X: 1\r\n\r\n"

    def test_a_mail_without_a_single_line_is_empty(self, sandbox: Sandbox, wire: Wire) -> None:
        wire.say(b"MAIL FROM:<>", b"RCPT TO:<ash@example.org>", b"DATA")

        assert wire.say(b".") == [250]
        assert sandbox.mails_to(ASH)[0]["raw"] == ""

    def test_headers_for_leaving_a_list_are_read(self, sandbox: Sandbox, smtp: smtplib.SMTP) -> None:
        message = letter()
        message["List-Unsubscribe"] = "<mailto:stop@example.org>, <http://127.0.0.1:8000/stop/abc>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"

        smtp.send_message(message)

        [mail] = sandbox.mails_to(ASH)
        assert mail["unsubscribe_link"] == "http://127.0.0.1:8000/stop/abc"
        assert mail["list_unsubscribe_post"] == "List-Unsubscribe=One-Click"
        assert ["Subject", "A new notice"] in mail["headers"]

    def test_addresses_and_headers_may_be_utf_8_when_the_client_says_so(
        self, sandbox: Sandbox, smtp: smtplib.SMTP
    ) -> None:
        message = letter()
        message.replace_header("To", "știre@example.org")
        message.replace_header("Subject", "O știre nouă")

        smtp.sendmail(
            "a@example.org",
            ["știre@example.org"],
            message.as_bytes(policy=SMTPUTF8),
            ["SMTPUTF8", "BODY=8BITMIME"],
        )

        [mail] = sandbox.mails_to("știre@example.org")
        assert (mail["subject"], mail["to"]) == ("O știre nouă", "știre@example.org")

    def test_everything_may_come_in_one_packet(self, sandbox: Sandbox, wire: Wire) -> None:
        answers = wire.say(
            b"MAIL FROM:<a@example.org>", b"RCPT TO:<ash@example.org>", b"RCPT TO:<b@example.org>", b"DATA"
        )
        wire.send(b"one\r\n.\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<ash@example.org>\r\nDATA\r\n")

        assert answers == [250, 250, 250, 354]
        assert [wire.hear() for _ in range(4)] == [250, 250, 250, 354]
        assert wire.say(b"two\r\n.") == [250]
        assert [mail["raw"] for mail in sandbox.mails_to(ASH)] == ["two\r\n", "one\r\n"]

    def test_eight_connections_at_once_lose_nothing(self, sandbox: Sandbox) -> None:
        def send_fifty(number: int) -> None:
            with smtplib.SMTP("127.0.0.1", sandbox.smtp_port) as smtp:
                for _ in range(50):
                    smtp.sendmail("a@example.org", [ASH, f"m{number}@example.org"], b"X: 1\r\n\r\n")

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(send_fifty, range(8)))

        assert sandbox.mail_count() == 400
        assert len(sandbox.mails_to(ASH)) == 400
        assert len(sandbox.mails_to("m7@example.org")) == 50


class TestTalking:
    def test_what_it_can_do_is_announced(self, smtp: smtplib.SMTP) -> None:
        smtp.ehlo()

        for extension in ("pipelining", "size", "8bitmime", "smtputf8"):
            assert smtp.has_extn(extension)
        assert not smtp.has_extn("starttls")

    def test_commands_out_of_order_are_refused(self, sandbox: Sandbox) -> None:
        wire = Wire(sandbox)

        assert wire.say(b"MAIL FROM:<a@example.org>") == [503]
        assert wire.say(b"HELO test.example", b"RCPT TO:<ash@example.org>", b"DATA") == [250, 503, 503]
        assert wire.say(b"MAIL FROM:<a@example.org>", b"DATA", b"MAIL FROM:<b@example.org>") == [
            250,
            503,
            503,
        ]

    def test_a_reset_forgets_the_mail_that_was_begun(self, wire: Wire) -> None:
        wire.say(b"MAIL FROM:<a@example.org>", b"RCPT TO:<ash@example.org>")

        assert wire.say(b"RSET", b"DATA", b"NOOP", b"VRFY ash", b"HELP") == [250, 503, 250, 252, 250]

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            (b"MAIL FROM:a@example.org", 501),
            (b"MAIL TO:<a@example.org>", 501),
            (b"MAIL FROM:<a@example.org> NONSENSE=1", 555),
            (b"MAIL FROM:<a@example.org> SIZE=%d" % (MAX_SIZE + 1), 552),
            ("MAIL FROM:<știre@example.org>".encode(), 553),
            ("MAIL FROM:<știre@example.org> SMTPUTF8".encode(), 250),
            (b"mail from:<a@example.org> body=8bitmime size=100", 250),
            (b"AUTH PLAIN", 502),
            (b"STARTTLS", 502),
            (b"DANCE", 500),
            (b"MAIL FROM:<\xff@example.org> SMTPUTF8", 501),
            (b"EHLO", 501),
        ],
    )
    def test_each_line_gets_its_answer(self, wire: Wire, line: bytes, code: int) -> None:
        assert wire.say(line) == [code]

    @pytest.mark.parametrize("line", [b"RCPT TO:<nobody>", b"RCPT TO:<>", b"RCPT TO:<a b@example.org>"])
    def test_a_recipient_must_be_an_address(self, wire: Wire, line: bytes) -> None:
        assert wire.say(b"MAIL FROM:<>", line) == [250, 501]

    def test_a_bare_line_feed_is_refused_as_many_servers_do(self, sandbox: Sandbox, wire: Wire) -> None:
        wire.say(b"MAIL FROM:<a@example.org>", b"RCPT TO:<ash@example.org>", b"DATA")

        assert wire.say(b"X: 1\n.\nMAIL FROM:<b@example.org>\r\n.") == [550]
        assert sandbox.mail_count() == 0

    def test_a_mail_that_turns_out_too_big_is_refused_and_the_connection_goes_on(
        self, sandbox: Sandbox, wire: Wire
    ) -> None:
        wire.say(b"MAIL FROM:<a@example.org>", b"RCPT TO:<ash@example.org>", b"DATA")

        wire.send((b"x" * 998 + b"\r\n") * (MAX_SIZE // 1000 + 2000))
        assert wire.say(b".") == [552]
        assert wire.say(b"NOOP") == [250]
        assert sandbox.mail_count() == 0

    def test_a_line_that_is_too_long_is_refused_and_the_connection_goes_on(self, wire: Wire) -> None:
        assert wire.say(b"x" * 5000, b"NOOP") == [500, 250]

    def test_goodbye_closes_it(self, wire: Wire) -> None:
        assert wire.say(b"QUIT") == [221]
        assert wire.hear() == 0


class TestRefusing:
    def test_an_address_can_be_refused_for_ever(self, sandbox: Sandbox, smtp: smtplib.SMTP) -> None:
        sandbox.behave(fail_mail=[{"to": ASH, "code": 550}])

        with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
            smtp.send_message(letter())
        smtp.send_message(letter(), to_addrs=["briar@example.org"])

        assert refusal.value.recipients[ASH][0] == 550
        assert sandbox.mail_count() == 1

    def test_a_mail_can_be_refused_for_now_after_it_was_read(
        self, sandbox: Sandbox, smtp: smtplib.SMTP
    ) -> None:
        sandbox.behave(fail_mail=[{"code": 451, "at": "data", "times": 1}])

        with pytest.raises(smtplib.SMTPDataError) as refusal:
            smtp.send_message(letter())
        smtp.send_message(letter())

        assert refusal.value.smtp_code == 451
        assert sandbox.mail_count() == 1

    def test_it_can_hang_up(self, sandbox: Sandbox, smtp: smtplib.SMTP) -> None:
        sandbox.behave(fail_mail=[{"code": 421, "times": 1}])

        with pytest.raises((smtplib.SMTPServerDisconnected, smtplib.SMTPRecipientsRefused)):
            smtp.send_message(letter())
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.noop()

    def test_stopping_the_sandbox_ends_open_connections(self, sandbox: Sandbox, wire: Wire) -> None:
        sandbox.stop()

        wait_until(lambda: wire.hear() == 0)
