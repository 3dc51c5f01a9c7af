"""How many parts a text is sent in, counted as Twilio counts (GSM 03.38, or UTF-16 when a letter is not in it)."""

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€\f")


def count_segments(text: str) -> int:
    """The number of parts; an escape pair or a surrogate pair is never split between two of them."""
    letters = set(text)
    if letters <= BASIC and len(text) <= 160:
        return 1
    if letters <= BASIC | EXTENDED:
        return _parts([2 if letter in EXTENDED else 1 for letter in text], alone=160, joined=153)
    return _parts([2 if ord(letter) > 0xFFFF else 1 for letter in text], alone=70, joined=67)


def _parts(widths: list[int], *, alone: int, joined: int) -> int:
    if sum(widths) <= alone:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > joined:
            parts, used = parts + 1, 0
        used += width
    return parts
