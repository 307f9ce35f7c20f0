"""The user's pages as HTML, for the folder ``help`` of the extension's zip: there they open without a network.

With the standard library alone, as the zip's builder needs it.
"""

from __future__ import annotations

import re
import struct
from html import escape
from pathlib import Path, PurePosixPath

from train.tools import markdown

FOLDER = "help"

PAGES = {
    "first-dance": "First Dance",
    "panel": "Panel",
    "beats": "Beats",
    "rigs": "Characters",
    "using-a-dance": "Using a Dance",
    "troubleshooting": "Troubles",
    "speed": "Speed",
    "selling": "Selling",
    "files": "Files",
    "glossary": "Glossary",
}
"""The pages of ``docs`` for users, and what the row of links at the top calls them."""

STYLE = """\
:root { color-scheme: light dark; --ink: #222; --paper: #fff; --line: #d0d0d0; --shade: #f1f1f1; --link: #1f5fbf; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ddd; --paper: #1d1d1d; --line: #444; --shade: #2b2b2b; --link: #7fb0ff; }
}
body { margin: 0 auto; padding: 1rem 1.5rem 4rem; max-width: 48rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif; }
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; padding-bottom: 0.75rem;
  border-bottom: 1px solid var(--line); }
nav [aria-current] { color: inherit; font-weight: 600; text-decoration: none; }
a { color: var(--link); }
h1, h2, h3 { line-height: 1.25; }
h2 { margin-top: 2.5rem; padding-bottom: 0.25rem; border-bottom: 1px solid var(--line); }
:target { background: var(--shade); }
img { display: block; margin: 1rem 0; max-width: 100%; height: auto; border-radius: 4px; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: 0.35rem 0.6rem; border: 1px solid var(--line); text-align: left; vertical-align: top; }
thead:not(:has(th:not(:empty))) { display: none; }
td { overflow-wrap: anywhere; min-width: 5rem; }
code { padding: 0.1em 0.3em; border-radius: 3px; background: var(--shade); font-size: 0.9em; }
pre { padding: 0.75rem 1rem; overflow-x: auto; border-radius: 4px; background: var(--shade); }
pre code { padding: 0; }
blockquote { margin: 1rem 0; padding: 0 1rem; border-left: 3px solid var(--line); }
"""


def made(source: Path, website: str = "") -> dict[str, bytes]:
    """The files of the zip's folder by their names in it, below ``source``'s ``docs``. No ``docs``, no files.

    website: where the other pages are; without one, links to those are text.
    """
    docs = source / "docs"
    if not docs.is_dir():
        return {}
    found = {f"{FOLDER}/style.css": STYLE.encode()}
    for name in PAGES:
        pictures: set[str] = set()

        def picture(address: str, pictures: set[str] = pictures) -> str:
            pictures.add(address)
            width, height = size(docs / address)
            return f'src="{escape(address)}" width="{width}" height="{height}"'

        text = (docs / f"{name}.md").read_text("utf-8")
        page = markdown.page(text, lambda address: where(address, website), picture)
        found[f"{FOLDER}/{name}.html"] = whole(name, page).encode()
        found |= {f"{FOLDER}/{address}": (docs / address).read_bytes() for address in pictures}
        for anchor, level in page.anchors.items():
            if level == 2:
                found[f"{FOLDER}/{name}/{anchor}.html"] = signpost(name, anchor).encode()
    return found


def where(address: str, website: str) -> str | None:
    """Where a link of ``docs`` leads to in the help; None if it leads nowhere.

    address: as the Markdown has it.
    """
    if re.match(r"[a-z]+:", address) or address.startswith("#"):
        return address
    file, hash_, anchor = address.partition("#")
    if file.removesuffix(".md") in PAGES:
        return f"{file.removesuffix('.md')}.html{hash_}{anchor}"
    parts: list[str] = []
    for part in PurePosixPath("docs", file).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return f"{website.rstrip('/')}/blob/main/{'/'.join(parts)}{hash_}{anchor}" if website else None


def whole(name: str, page: markdown.Page) -> str:
    """A page with its head, and a row of links to all pages."""
    links = [
        f'<a href="{other}.html"{" aria-current=page" if other == name else ""}>{title}</a>'
        for other, title in PAGES.items()
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>Footlight: {page.title}</title>\n<link rel="stylesheet" href="style.css">\n</head>\n<body>\n'
        f"<nav>\n{chr(10).join(links)}\n</nav>\n<main>\n{page.body}\n</main>\n</body>\n</html>\n"
    )


def signpost(name: str, anchor: str) -> str:
    """A file that leads on to a heading. Windows and macOS drop the anchor of a file that another program opens."""
    target = escape(f"../{name}.html#{anchor}")
    return (
        '<!doctype html>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="refresh" content="0; url={target}">\n<title>Footlight</title>\n<a href="{target}">On</a>\n'
    )


def size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG, so that a page does not move while its pictures come. Raises ValueError for others."""
    head = path.read_bytes()[:24]
    if head[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError(f"{path} is no PNG; the help's pictures are.")
    width, height = struct.unpack(">II", head[16:24])
    return width, height
