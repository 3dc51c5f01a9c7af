"""Pages drawn once per language, into which only a few values of our own making are put for each visitor.

Drawing sixty questions takes far longer than filing the answers, and a fresh form differs in its token alone.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, request
from flask_babel import get_locale

from ugly_mugs.runtime import runtime

_OPEN, _CLOSE = "\x02", "\x03"
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
_LAST_BLOCK = b"\x03\x00"


@dataclass(frozen=True)
class Drawn:
    """A page in pieces, each also compressed by itself, and the names of the values between them."""

    pieces: tuple[bytes, ...]
    squeezed: tuple[bytes, ...]
    names: tuple[str, ...]

    def whole(self, values: Mapping[str, str]) -> bytes:
        between = [values[name].encode("ascii") for name in self.names]
        return b"".join(_alternating(self.pieces, between))

    def compressed(self, values: Mapping[str, str]) -> bytes:
        """A gzip file (RFC 1952) of the compressed pieces, with the values between them stored as they are."""
        between = [_stored(values[name].encode("ascii")) for name in self.names]
        plain = self.whole(values)
        check = zlib.crc32(plain).to_bytes(4, "little") + len(plain).to_bytes(4, "little")
        return b"".join((_GZIP_HEADER, *_alternating(self.squeezed, between), _LAST_BLOCK, check))


class DrawnPages(dict[tuple[str, str], Drawn]):
    """The pages drawn so far, by template and language."""


def spliced(
    template: str,
    values: Mapping[str, str],
    context: Callable[[], Mapping[str, Any]] = dict,
    *,
    compress: bool = False,
) -> Response:
    """The page with each value where the template says `{{ name }}`; `context` is asked only for the first drawing.

    The values stand in the page as they are, so they must be made of letters, figures, spaces, `-` and `_`; nothing
    a person typed may ever be one. `compress` is for pages without a secret: lengths of compressed ones tell too much.
    """
    cache = runtime().state.of(DrawnPages)
    place = (template, str(get_locale()))
    if place not in cache:
        marks = {name: f"{_OPEN}{name}{_CLOSE}" for name in values}
        cache[place] = drawn(render_template(template, **marks, **context()))
    if not compress:
        return Response(cache[place].whole(values), mimetype="text/html")
    if not request.accept_encodings["gzip"]:
        return Response(cache[place].whole(values), mimetype="text/html", headers={"Vary": "Accept-Encoding"})
    headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(cache[place].compressed(values), mimetype="text/html", headers=headers)


def drawn(page: str) -> Drawn:
    """Cut a page at the marks of its values."""
    first, *behind = page.split(_OPEN)
    cut = [piece.partition(_CLOSE) for piece in behind]
    pieces = (first.encode(), *(text.encode() for _name, _mark, text in cut))
    return Drawn(pieces, tuple(map(_squeezed, pieces)), tuple(name for name, _mark, _text in cut))


def _squeezed(piece: bytes) -> bytes:
    """Raw deflate blocks that end at a whole byte and refer to nothing before them, so that any may follow any."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(piece) + compressor.flush(zlib.Z_FULL_FLUSH)


def _stored(value: bytes) -> bytes:
    """One stored deflate block (RFC 1951, 3.2.4)."""
    length = len(value)
    return b"\x00" + length.to_bytes(2, "little") + (length ^ 0xFFFF).to_bytes(2, "little") + value


def _alternating(pieces: tuple[bytes, ...], between: list[bytes]) -> list[bytes]:
    body = [pieces[0]]
    for value, piece in zip(between, pieces[1:], strict=True):
        body += (value, piece)
    return body
