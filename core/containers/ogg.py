"""Ogg (RFC 3533): its pages, the streams that were joined in it, and FLAC that lies in it.

libsndfile decodes the first of joined streams, and no FLAC inside Ogg. In the last page of a Vorbis stream it does not
go on where it is told to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from . import flac
from .types import Data, Stretch, Survey

MARK = b"OggS"
FIRST = 2  # flag of a page
LAST = 4  # flag of a page
BEGUN_SECONDS = 5.0  # a first page that ends later is from the middle of a broadcast
CODECS = {b"\x01vorbis": "Vorbis", b"OpusHead": "Opus", b"\x7fFLAC": "FLAC", b"Speex   ": "Speex"}


@dataclass(frozen=True)
class Page:
    """A page.

    start, body, end: offsets.
    lacing: the lengths of its segments; those of 255 go on in the next one.
    """

    start: int
    flags: int
    serial: bytes
    lacing: bytes
    body: int
    end: int


def codec(head: bytes) -> str | None:
    """The codec of the first stream of a file that begins so; None if it is not known."""
    page = _page(head, 0)
    begin = head[page.body : page.body + 8] if page else b""
    return next((name for mark, name in CODECS.items() if begin.startswith(mark)), None)


def survey(data: Data) -> Survey | None:
    """What is known of a file with these bytes; None if it is not Ogg."""
    pages = list(_pages(data))
    if not pages:
        return None
    links = _links(pages)
    findings = []
    if len(links) > 1:
        findings.append(
            f"is joined from {len(links)} Ogg files. All were read; if Blender or another player stops after the "
            "first, join them in an audio editor"
        )
    begun = {page.serial for page in pages if page.flags & FIRST}
    if lost := sum(page.end - page.start for page in pages if page.serial not in begun):
        findings.append(
            f"has a stream of {lost} bytes whose beginning is damaged, and which was left out; download or export it "
            "again"
        )
    if pages[-1].end > len(data):
        findings.append("ends in the middle of a page; if the end of the song is missing, download or export it again")
    elif not any(page.flags & LAST for page in links[-1]):
        findings.append("has no end mark; if the end of the song is missing, download or export it again")
    stretches = tuple(_stretch(data, link) for link in links)
    right = len(links) == 1 and pages[0].start == 0 and all(isinstance(p, tuple) for p in stretches[0].pieces or ())
    lengths = [_seconds(data, link) for link in links] if len(links) > 1 else []
    seconds = sum(length for length in lengths if length) if lengths and all(lengths) else None
    return Survey((Stretch(onward=True),) if right else stretches, seconds, tuple(findings))


def _page(data: Data, at: int) -> Page | None:
    head = data[at : at + 27]
    if len(head) < 27 or head[:4] != MARK or head[4]:
        return None
    lacing = data[at + 27 : at + 27 + head[26]]
    body = at + 27 + head[26]
    return Page(
        at, head[5], head[14:18], lacing, body, body + sum(lacing) if len(lacing) == head[26] else len(data) + 1
    )


def _pages(data: Data) -> Iterator[Page]:
    """All pages; what is damaged between them is left out."""
    at = 0
    while (at := data.find(MARK, at)) >= 0:
        page = _page(data, at)
        if page is None:
            at += 4
            continue
        at = page.end
        if page.end < len(data) and data[page.end : page.end + 4] != MARK:
            following = data.find(MARK, page.body)
            if page.body <= following < page.end:  # it was cut, and another file joined to it
                page, at = replace(page, end=following), following
        yield page


def _links(pages: list[Page]) -> list[list[Page]]:
    """The pages of each of the files that were joined: a stream that begins after others have gone on is a new one."""
    links: list[list[Page]] = []
    for before, page in zip([None, *pages], pages, strict=False):
        if before is None or (page.flags & FIRST and not before.flags & FIRST):
            links.append([])
        links[-1].append(page)
    return links


def _stretch(data: Data, link: list[Page]) -> Stretch:
    if made := flac.of_packets(list(_packets(data, link))) if _is_flac(data, link[0]) else None:
        found = flac.survey(made)
        pieces = found.stretches[0].pieces if found else None
        whole = b"".join(_bytes(made, piece) for piece in pieces) if pieces else made
        return Stretch((whole,), flac=True)
    return Stretch(((link[0].start, min(link[-1].end, len(data)) - link[0].start),), onward=True)


def _seconds(data: Data, link: list[Page]) -> float | None:
    """How long a link is by the positions of its pages; None where that is not known."""
    head = data[link[0].body : link[0].body + 19]
    if head.startswith(b"OpusHead") and len(head) == 19:
        rate, skipped = 48_000, int.from_bytes(head[10:12], "little")
    elif head.startswith(b"\x01vorbis"):
        rate, skipped = int.from_bytes(head[12:16], "little"), 0
    else:
        return None
    mine = [page for page in link if page.serial == link[0].serial and page.end <= len(data)]
    places = [place for page in mine if (place := _position(data, page)) > 0]
    if not places or not rate:
        return None
    begin = places[0] if places[0] > BEGUN_SECONDS * rate else skipped
    return max(0, places[-1] - begin) / rate or None


def _position(data: Data, page: Page) -> int:
    return int.from_bytes(data[page.start + 6 : page.start + 14], "little", signed=True)


def _is_flac(data: Data, page: Page) -> bool:
    return data[page.body : page.body + 5] == b"\x7fFLAC"


def _bytes(data: Data, piece: bytes | tuple[int, int]) -> bytes:
    return piece if isinstance(piece, bytes) else data[piece[0] : piece[0] + piece[1]]


def _packets(data: Data, link: list[Page]) -> Iterator[bytes]:
    """The packets of a link's first stream."""
    parts: list[bytes] = []
    for page in link:
        if page.serial != link[0].serial:
            continue
        at = page.body
        for length in page.lacing:
            parts.append(data[at : at + length])
            at += length
            if length < 255:
                yield b"".join(parts)
                parts = []
