"""What a mail server says: RFC 5321 with pipelining, size, 8-bit and UTF-8 addresses; each mail is kept."""

import re

from ugly_mugs.sandbox.behaviour import Behaviour
from ugly_mugs.sandbox.memory import Memory

MAX_LINE = 4096
MAX_SIZE = 10 * 1024 * 1024
MAX_RECIPIENTS = 1000
END_OF_DATA = b"\r\n.\r\n"
PATH = re.compile(r"<([^<>\s]*)>((?: +[A-Za-z0-9][A-Za-z0-9-]*(?:=[^\s=]+)?)*)")
GREETING = (
    b"250-sandbox\r\n250-PIPELINING\r\n250-SIZE %d\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
    b"250-ENHANCEDSTATUSCODES\r\n250 HELP\r\n"
) % MAX_SIZE


class SmtpSession:
    """One connection's conversation: bytes in, bytes out; whoever owns the socket closes it when `ended`."""

    greeting = b"220 sandbox ESMTP, nothing leaves this machine\r\n"

    def __init__(self, memory: Memory, behaviour: Behaviour) -> None:
        self._memory = memory
        self._behaviour = behaviour
        self._buffer = bytearray()
        self._searched = 0
        self._takes_data = False
        self._too_big = False
        self._greeted = False
        self._out: list[bytes] = []
        self.ended = False
        self._forget()

    def _forget(self) -> None:
        self._sender: str | None = None
        self._utf8 = False
        self._recipients: list[str] = []

    def receive(self, data: bytes) -> bytes:
        """Take what came and give what is to be answered, which may be nothing yet."""
        self._buffer += data
        while self._buffer and not self.ended:
            if not (self._read_mail() if self._takes_data else self._read_command()):
                break
        answer = b"".join(self._out)
        self._out.clear()
        return answer

    def _say(self, line: str) -> None:
        self._out.append(f"{line}\r\n".encode())

    def _read_command(self) -> bool:
        """Answer the next line; False when it is not all here yet."""
        end = self._buffer.find(b"\n")
        if end < 0 or end > MAX_LINE:
            if len(self._buffer) > MAX_LINE:
                self._hang_up("500 5.5.2 Line too long")
            return False
        line = bytes(self._buffer[:end]).rstrip(b"\r")
        del self._buffer[: end + 1]
        try:
            verb, _, rest = line.decode().partition(" ")
        except UnicodeDecodeError:
            self._say("500 5.5.2 This is not UTF-8")
            return True
        match verb.upper():
            case "MAIL":
                self._mail(rest)
            case "RCPT":
                self._rcpt(rest)
            case "DATA":
                self._data(rest)
            case "EHLO" | "HELO":
                self._hello(verb.upper(), rest)
            case "RSET":
                self._forget()
                self._say("250 2.0.0 OK")
            case "NOOP":
                self._say("250 2.0.0 OK")
            case "QUIT":
                self._hang_up("221 2.0.0 Goodbye")
            case "VRFY":
                self._say("252 2.1.5 Send it and see")
            case "HELP":
                self._say("214 2.0.0 EHLO MAIL RCPT DATA RSET NOOP VRFY QUIT")
            case "STARTTLS" | "AUTH" | "BDAT" | "EXPN" | "ETRN":
                self._say("502 5.5.1 The sandbox does not do that")
            case _:
                self._say("500 5.5.2 What?")
        return True

    def _hang_up(self, line: str) -> None:
        self._say(line)
        self.ended = True

    def _hello(self, verb: str, name: str) -> None:
        if not name.strip():
            self._say("501 5.5.4 Say who you are")
            return
        self._forget()
        self._greeted = True
        self._out.append(GREETING if verb == "EHLO" else b"250 sandbox\r\n")

    def _mail(self, rest: str) -> None:
        if not self._greeted:
            self._say("503 5.5.1 Say EHLO first")
            return
        if self._sender is not None:
            self._say("503 5.5.1 One mail at a time")
            return
        path = PATH.fullmatch(rest[5:].strip()) if rest[:5].upper() == "FROM:" else None
        if path is None:
            self._say("501 5.5.4 MAIL FROM:<address>")
            return
        utf8 = False
        for parameter in path[2].split():
            name, _, value = parameter.upper().partition("=")
            if name == "SIZE" and value.isdigit():
                if int(value) > MAX_SIZE:
                    self._say("552 5.3.4 Too big")
                    return
            elif parameter.upper() == "SMTPUTF8":
                utf8 = True
            elif not (name == "BODY" and value in ("7BIT", "8BITMIME")):
                self._say(f"555 5.5.4 {parameter} is not known here")
                return
        if not (path[1].isascii() or utf8):
            self._say("553 5.6.7 Such an address needs SMTPUTF8")
            return
        self._sender, self._utf8 = path[1], utf8
        self._out.append(b"250 2.1.0 OK\r\n")

    def _rcpt(self, rest: str) -> None:
        if self._sender is None:
            self._say("503 5.5.1 MAIL comes first")
            return
        path = PATH.fullmatch(rest[3:].strip()) if rest[:3].upper() == "TO:" else None
        if path is None or ("@" not in path[1].strip("@") and path[1].lower() != "postmaster"):
            self._say("501 5.1.3 RCPT TO:<address>")
            return
        if path[2]:
            self._say("555 5.5.4 RCPT takes no parameters here")
            return
        if not (path[1].isascii() or self._utf8):
            self._say("553 5.6.7 Such an address needs SMTPUTF8")
            return
        if len(self._recipients) >= MAX_RECIPIENTS:
            self._say("452 4.5.3 Too many recipients")
            return
        if self._refused(path[1], "rcpt"):
            return
        self._recipients.append(path[1])
        self._out.append(b"250 2.1.5 OK\r\n")

    def _refused(self, address: str, at: str) -> bool:
        if not self._behaviour.fail_mail:
            return False
        rule = self._behaviour.mail_rule_for(address, at)
        if rule is None:
            return False
        if rule.code == 421:
            self._hang_up("421 4.3.2 The sandbox was asked to hang up")
        else:
            self._say(f"{rule.code} {rule.code // 100}.0.0 The sandbox was asked to refuse")
        return True

    def _data(self, rest: str) -> None:
        if rest.strip():
            self._say("501 5.5.4 DATA stands alone")
        elif not self._recipients:
            self._say(
                "503 5.5.1 RCPT comes first" if self._sender is not None else "503 5.5.1 MAIL comes first"
            )
        else:
            # The mail is read as if the line break that ended the command began it, so that a mail
            # without any line still ends at line break, dot, line break.
            self._takes_data, self._too_big, self._searched = True, False, 0
            self._buffer[:0] = b"\r\n"
            self._out.append(b"354 Go on, and end with a dot\r\n")

    def _read_mail(self) -> bool:
        end = self._buffer.find(END_OF_DATA, self._searched)
        if end < 0:
            # The ending may straddle two packets, so its length is searched again.
            if len(self._buffer) > MAX_SIZE:
                self._too_big = True
                del self._buffer[: -len(END_OF_DATA)]
            self._searched = max(0, len(self._buffer) - len(END_OF_DATA) + 1)
            return False
        raw = bytes(self._buffer[2 : end + 2])
        del self._buffer[: end + len(END_OF_DATA)]
        self._takes_data = False
        self._finish(raw)
        return True

    def _finish(self, raw: bytes) -> None:
        sender, recipients = self._sender or "", tuple(self._recipients)
        self._forget()
        if self._too_big or len(raw) > MAX_SIZE:
            self._say("552 5.3.4 Too big")
        elif not raw.count(b"\r\n") == raw.count(b"\n") == raw.count(b"\r"):
            # A bare line feed is how one mail is smuggled inside another, so many servers refuse it.
            # So does this one: a program that works here works there.
            self._say("550 5.5.2 Lines end with CR LF, always both")
        elif not any(self._refused(address, "data") for address in recipients):
            if raw.startswith(b".") or b"\n." in raw:
                raw = re.sub(rb"(?m)^\.", b"", raw)
            mail = self._memory.add_mail(sender, recipients, raw)
            self._out.append(b"250 2.0.0 Kept as %d\r\n" % mail.place)
