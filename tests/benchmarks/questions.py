"""The names of the questions on a drawn page, as a browser would send them."""

import re

_QUESTION = re.compile(
    r'<(?:input type="(?:text|date|email|tel|hidden)"|textarea|select)[^>]* name="([^"]+)"'
)


def names_in(page: str) -> list[str]:
    return list(dict.fromkeys(_QUESTION.findall(page)))
