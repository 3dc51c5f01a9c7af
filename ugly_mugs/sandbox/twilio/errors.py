"""Twilio's errors, in the shape and with the words of its API."""

from aiohttp import web

MESSAGES = {
    20001: "The sandbox does not speak this part of the API: {detail}",
    20003: "Authenticate",
    20009: "Cannot delete or empty message because delivery of message has not been completed.",
    20404: "The requested resource {detail} was not found",
    20405: "Method not allowed",
    20429: "Too Many Requests",
    20500: "An internal server error has occurred",
    20503: "Service unavailable",
    20504: "Gateway timeout",
    21211: "The 'To' number {detail} is not a valid phone number.",
    21212: "The 'From' number {detail} is not a valid phone number, shortcode, or alphanumeric sender ID.",
    21266: "'To' and 'From' number cannot be the same",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21609: "The 'StatusCallback' URL {detail} is not a valid URL.",
    21610: "Attempt to send to unsubscribed recipient",
    21617: "The concatenated message body exceeds the 1600 character limit.",
    90007: "Invalid validity period value: {detail}",
}
USUAL_CODES = {401: 20003, 404: 20404, 429: 20429, 503: 20503, 504: 20504}


class TwilioError(Exception):
    """An error answer of the API; a code without a message of its own gets a general one."""

    def __init__(self, status: int, code: int, detail: str = "") -> None:
        super().__init__(status, code, detail)
        self.status, self.code = status, code
        words = MESSAGES.get(code, "The sandbox was asked to answer with this error.")
        self.message = words.format(detail=detail)

    def as_response(self) -> web.Response:
        content = {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if self.status == 401 else None
        return web.json_response(content, status=self.status, headers=headers)


def usual_code(status: int) -> int:
    """The error code that Twilio mostly sends with an HTTP status."""
    return USUAL_CODES.get(status, 20500 if status >= 500 else 20001)
