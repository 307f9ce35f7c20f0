"""The documentation as data: pages, their links, headings and commands."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for folder in (ROOT, ROOT / "docs", ROOT / "core" / "pretrained")
    for path in (folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
)
"""All pages of the repository."""

_CODE = re.compile(r"```.*?```|(?:^    [^\n]*\n?)+", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_PROMPT = re.compile(
    r"^(?:[A-Z_]+=\S+ +)*(?:(?:\.venv[/\\]Scripts[/\\]|\.venv/bin/)?(?:python3?|py)(?: -3\.11)?|blender -b --python) "
)


@dataclass(frozen=True)
class Link:
    """A link of a page. target: of a file, relative to the page; "" is the page. anchor: of a heading, or ""."""

    page: Path
    target: str
    anchor: str

    @property
    def file(self) -> Path:
        return (self.page.parent / self.target).resolve() if self.target else self.page


@cache
def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def links(page: Path) -> list[Link]:
    """The links into the repository, pictures included; those to the web are left out."""
    found = _LINK.findall(_CODE.sub("", text_of(page)))
    return [Link(page, *link.partition("#")[::2]) for link in found if not re.match(r"[a-z]+:", link)]


@cache
def anchors(page: Path) -> frozenset[str]:
    """What the headings of a page are called in a link: as GitHub names them."""
    found: list[str] = []
    for heading in _HEADING.findall(_CODE.sub("", text_of(page))):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        found.append(name + (f"-{found.count(name)}" if name in found else ""))
    return frozenset(found)


def commands(page: Path) -> list[list[str]]:
    """The commands of a page's code blocks that start Python, or a script in Blender: words from "python" on."""
    found = []
    for block in _CODE.findall(text_of(page)):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            line = line.strip()
            if match := _PROMPT.match(line):
                words = shlex.split(line[match.end() :].replace("\\", "/"), comments=True)
                found.append(["python", *(word for word in words if word != "--")])
    return found
