"""The Markdown of the user's pages as HTML, with the standard library alone: the zip's builder has nothing else.

It knows what the pages use: headings, paragraphs, emphasis, code, links, pictures, lists, tables and quotes. Everything
else, HTML too, is text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

Link = Callable[[str], str | None]
"""Where a link leads in HTML; None makes it text."""

Picture = Callable[[str], str]
"""A picture's attributes in HTML, such as ``src="a.png" width="3"``."""

_VERBATIM = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])|(?<!`)(?P<fence>`+)(?!`)(?P<code>.+?)(?<!`)(?P=fence)(?!`)", re.DOTALL
)
_ADDRESS = r"\(([^()\s]+)\)"
_PICTURE = re.compile(r"!\[([^\]]*)\]" + _ADDRESS)
_LINK = re.compile(r"\[([^\]]+)\]" + _ADDRESS)
_STRONG = re.compile(r"\*\*(?![\s*])(.+?)(?<![\s*])\*\*", re.DOTALL)
_EMPHASIS = re.compile(r"\*(?![\s*])(.+?)(?<![\s*])\*", re.DOTALL)
_KEPT = re.compile("\0(\\d+)\0")

_HEADING = re.compile(r" {0,3}(#{1,6}) +(.*?)(?: +#+)? *$")
_FENCE = re.compile(r" {0,3}(```+)[^`]*$")
_QUOTE = re.compile(r" {0,3}> ?")
_ITEM = re.compile(r"( {0,3})([-*+]|(\d{1,9})[.)])( {1,4})(?=\S)")
_RULER = re.compile(r" {0,3}\|?( *:?-+:? *\|)* *:?-+:? *\|? *$")
_CELLS = re.compile(r"(?<!\\)\|")


@dataclass
class Page:
    """A page of the help.

    body: HTML.
    title: of its first heading, as text.
    anchors: what its headings are called in links.
    """

    body: str = ""
    title: str = ""
    anchors: dict[str, int] = field(default_factory=dict)
    """With each heading's level, 1 to 6."""


def page(text: str, link: Link = str, picture: Picture | None = None) -> Page:
    """A page from its Markdown."""
    writer = _Writer(link, picture or (lambda address: f'src="{escape(address)}"'))
    writer.page.body = writer.blocks(text.replace("\0", "").splitlines())
    return writer.page


def anchor(heading: str) -> str:
    """What GitHub calls a heading in a link.

    heading: its Markdown.
    """
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


class _Writer:
    def __init__(self, link: Link, picture: Picture) -> None:
        self.page = Page()
        self.link, self.picture = link, picture
        self.headings: Counter[str] = Counter()

    def blocks(self, lines: list[str], tight: bool = False) -> str:
        """HTML of some lines.

        tight: paragraphs stand bare, as in a list without empty lines.
        """
        return "\n".join(self.block(kind, lines[start:end], tight) for kind, start, end in _blocks(lines))

    def block(self, kind: str, lines: list[str], tight: bool) -> str:
        if kind == "indented":
            return _code([line[4:] for line in lines])
        if kind == "fenced":
            fence = _FENCE.match(lines[0])
            closed = fence and len(lines) > 1 and lines[-1].strip() == fence[1]
            return _code(lines[1:-1] if closed else lines[1:])
        if kind == "heading" and (match := _HEADING.match(lines[0])):
            return self.heading(len(match[1]), match[2])
        if kind == "quote":
            return f"<blockquote>\n{self.blocks([_QUOTE.sub('', line, count=1) for line in lines])}\n</blockquote>"
        if kind == "list":
            return self.listed(lines)
        if kind == "table":
            return self.table(lines[0], lines[1], lines[2:])
        text = self.inline("\n".join(line.strip() for line in lines))
        return text if tight else f"<p>{text}</p>"

    def heading(self, level: int, text: str) -> str:
        name = anchor(text)
        times = self.headings[name]
        self.headings[name] += 1
        name += f"-{times}" if times else ""
        self.page.anchors[name] = level
        html = self.inline(text)
        self.page.title = self.page.title or re.sub(r"<[^>]*>", "", html)
        return f'<h{level} id="{escape(name)}">{html}</h{level}>'

    def listed(self, lines: list[str]) -> str:
        items, loose, _ = _items(lines, 0)
        body = "\n".join(f"<li>{self.blocks(item, not loose)}</li>" for item in items)
        first = _ITEM.match(lines[0])
        if not first or not first[3]:
            return f"<ul>\n{body}\n</ul>"
        start = "" if int(first[3]) == 1 else f' start="{int(first[3])}"'
        return f"<ol{start}>\n{body}\n</ol>"

    def table(self, head: str, ruler: str, rows: list[str]) -> str:
        sides = ["center" if c[:1] + c[-1:] == "::" else "right" if c.endswith(":") else "" for c in _cells(ruler)]

        def row(line: str, tag: str) -> str:
            cells = (_cells(line) + [""] * len(sides))[: len(sides)]
            styles = [f' style="text-align:{side}"' if side else "" for side in sides]
            html = [f"<{tag}{style}>{self.inline(cell)}</{tag}>" for cell, style in zip(cells, styles, strict=True)]
            return f"<tr>{''.join(html)}</tr>"

        body = "\n".join(row(line, "td") for line in rows)
        body = f"\n<tbody>\n{body}\n</tbody>" if rows else ""
        return f"<table>\n<thead>\n{row(head, 'th')}\n</thead>{body}\n</table>"

    def inline(self, text: str) -> str:
        """HTML of text without blocks. What is finished is kept aside, so that nothing in it is read again."""
        kept: list[str] = []

        def keep(html: str) -> str:
            kept.append(html)
            return f"\0{len(kept) - 1}\0"

        def verbatim(match: re.Match[str]) -> str:
            if match["escaped"]:
                return keep(escape(match["escaped"]))
            code = match["code"].replace("\n", " ")
            if code.strip() and code[0] == code[-1] == " ":
                code = code[1:-1]
            return keep(f"<code>{escape(code)}</code>")

        def picture(match: re.Match[str]) -> str:
            return keep(f'<img {self.picture(match[2])} alt="{match[1]}">')

        def link(match: re.Match[str]) -> str:
            address = self.link(match[2])
            return match[1] if address is None else keep(f'<a href="{address}">') + match[1] + keep("</a>")

        text = escape(_VERBATIM.sub(verbatim, text))
        text = _LINK.sub(link, _PICTURE.sub(picture, text))
        text = _EMPHASIS.sub(r"<em>\1</em>", _STRONG.sub(r"<strong>\1</strong>", text))
        while "\0" in text:
            text = _KEPT.sub(lambda match: kept[int(match[1])], text)
        return text


def _blocks(lines: list[str]) -> list[tuple[str, int, int]]:
    """The blocks of some lines: of what kind, the first line, and the one after the last."""
    found, at = [], 0
    while at < len(lines):
        line, end = lines[at], at + 1
        if not line.strip():
            at += 1
            continue
        if line.startswith("    "):
            kind = "indented"
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
        elif match := _FENCE.match(line):
            kind = "fenced"
            while end < len(lines) and lines[end].strip() != match[1]:
                end += 1
            end = min(end + 1, len(lines))
        elif _HEADING.match(line):
            kind = "heading"
        elif _QUOTE.match(line):
            kind = "quote"
            while end < len(lines) and _QUOTE.match(lines[end]):
                end += 1
        elif _ITEM.match(line):
            kind = "list"
            end = _items(lines, at)[2]
        elif _table_at(lines, at):
            kind, end = "table", at + 2
            while end < len(lines) and lines[end].strip() and not _begins(lines[end]):
                end += 1
        else:
            kind = "paragraph"
            while end < len(lines) and lines[end].strip() and not _interrupts(lines, end):
                end += 1
        found.append((kind, at, end))
        at = end
    return found


def _items(lines: list[str], at: int) -> tuple[list[list[str]], bool, int]:
    """The items of the list that begins at a line; whether empty lines part them, or what is in them; the line after
    the list."""
    items: list[list[str]] = []
    kind, loose, ended = "", False, False
    while at < len(lines) and (match := _ITEM.match(lines[at])) and match[2][-1] == (kind or match[2][-1]):
        kind = match[2][-1]
        loose = loose or ended
        item = [lines[at][match.end() :]]
        at += 1
        while at < len(lines):
            line = lines[at]
            if not line.strip():
                item.append("")
            elif line.startswith(" " * match.end()):
                item.append(line[match.end() :])
            elif item[-1] and not _begins(line):  # the paragraph goes on, wherever its line begins
                item.append(line.strip())
            else:
                break
            at += 1
        ended = not item[-1]
        while not item[-1]:
            item.pop()
        loose = loose or any(start and not item[start - 1] for _, start, _ in _blocks(item))
        items.append(item)
    return items, loose, at


def _code(lines: list[str]) -> str:
    text = "\n".join(lines).rstrip("\n")
    return f"<pre><code>{escape(text)}\n</code></pre>"


def _begins(line: str) -> bool:
    """Whether a block of its own begins there, also right below a paragraph."""
    item = _ITEM.match(line)
    return bool(_HEADING.match(line) or _FENCE.match(line) or _QUOTE.match(line) or item)


def _interrupts(lines: list[str], at: int) -> bool:
    """Whether a paragraph ends before this line. A number begins a list there only if it is 1."""
    item = _ITEM.match(lines[at])
    if item and item[3] and int(item[3]) != 1:
        return False
    return _begins(lines[at]) or _table_at(lines, at)


def _table_at(lines: list[str], at: int) -> bool:
    ruler = lines[at + 1] if at + 1 < len(lines) else ""
    return "|" in ruler and bool(_RULER.match(ruler)) and len(_cells(lines[at])) == len(_cells(ruler))


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in _CELLS.split(line.strip().removeprefix("|").removesuffix("|"))]
