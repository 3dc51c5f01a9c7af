"""Caches pages that are the same for everybody except for a few generated values, such as a form's token.

Each is rendered once per language: rendering the sixty questions takes far longer than filing the answers.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, request
from flask_babel import get_locale

from ugly_mugs.runtime import runtime

# Around the name of a value in the rendered page; no template holds these characters.
_OPEN, _CLOSE = "\x02", "\x03"
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
_LAST_BLOCK = b"\x03\x00"


@dataclass(frozen=True)
class CachedPage:
    """The pieces of a page, plain and each compressed by itself, and the names of the values between them."""

    pieces: tuple[bytes, ...]
    compressed_pieces: tuple[bytes, ...]
    names: tuple[str, ...]

    def plain(self, values: Mapping[str, str]) -> bytes:
        between = [values[name].encode("ascii") for name in self.names]
        return b"".join(_alternating(self.pieces, between))

    def compressed(self, values: Mapping[str, str]) -> bytes:
        """A gzip file (RFC 1952): the compressed pieces, with each value between them as a stored block."""
        between = [_stored(values[name].encode("ascii")) for name in self.names]
        plain = self.plain(values)
        check = zlib.crc32(plain).to_bytes(4, "little") + len(plain).to_bytes(4, "little")
        return b"".join((_GZIP_HEADER, *_alternating(self.compressed_pieces, between), _LAST_BLOCK, check))


class CachedPages(dict[tuple[str, str], CachedPage]):
    """The pages rendered so far, by template and language."""


def page(
    template: str,
    values: Mapping[str, str],
    context: Callable[[], Mapping[str, Any]] = dict,
    *,
    compress: bool = False,
) -> Response:
    """The page with each value where the template says `{{ name }}`; `context` is called only to render it first.

    Values are not escaped: they may hold letters, digits, spaces, `-` and `_`, and never anything a person typed.
    `compress` is only for pages without a secret, because the length of a compressed page can reveal it (BREACH).
    """
    cache = runtime().process_state.of(CachedPages)
    place = (template, str(get_locale()))
    if place not in cache:
        marks = {name: f"{_OPEN}{name}{_CLOSE}" for name in values}
        cache[place] = _split(render_template(template, **marks, **context()))
    if not compress:
        return Response(cache[place].plain(values), mimetype="text/html")
    if not request.accept_encodings["gzip"]:
        return Response(cache[place].plain(values), mimetype="text/html", headers={"Vary": "Accept-Encoding"})
    headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(cache[place].compressed(values), mimetype="text/html", headers=headers)


def _split(rendered: str) -> CachedPage:
    """Cut a rendered page at the marks of its values."""
    first, *rest = rendered.split(_OPEN)
    cut = [piece.partition(_CLOSE) for piece in rest]
    pieces = (first.encode(), *(text.encode() for _name, _mark, text in cut))
    return CachedPage(pieces, tuple(map(_deflated, pieces)), tuple(name for name, _mark, _text in cut))


def _deflated(piece: bytes) -> bytes:
    """Raw deflate blocks that end on a byte boundary and refer to nothing before them, so they can be joined."""
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
