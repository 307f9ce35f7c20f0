"""The help in the zip: every link of it leads somewhere, with the network cut off."""

import posixpath
import re
from urllib.parse import urldefrag

import pytest
from PIL import Image

from tests.docs.pages import ROOT
from train.tools import help_pages


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return help_pages.made(ROOT)


def pages(made):
    return {name: content.decode() for name, content in made.items() if name.endswith(".html")}


def test_every_link_leads_somewhere_in_the_folder(made):
    known = pages(made)
    for name, text in known.items():
        for address in re.findall(r'(?:href|src)="([^"]+)"|; url=([^"]+)"', text):
            address = address[0] or address[1]
            if address.startswith("https:"):
                continue
            path, anchor = urldefrag(address)
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
            assert target in made, f"{name} leads to {address}"
            assert not anchor or f' id="{anchor}"' in known[target], f"{name} leads to {address}"


def test_nothing_is_carried_that_is_not_shown(made):
    text = "".join(pages(made).values())
    for name in made:
        if name.endswith(".png"):
            assert f'src="{name.removeprefix("help/")}"' in text
    assert sum(map(len, made.values())) < 1_000_000


def test_pages_look_for_nothing_elsewhere(made):
    """No script, font, style or picture of another place."""
    for name, text in (pages(made) | {"style": help_pages.STYLE}).items():
        assert not re.search(r'<script|src="[a-z]+:|@import|url\(', text), name


def test_what_is_not_carried_is_text_or_on_the_website():
    assert help_pages.where("training.md#a", "") is None
    assert help_pages.where("training.md#a", "https://a.b/c/") == "https://a.b/c/blob/main/docs/training.md#a"
    assert help_pages.where("../core/x.md", "https://a.b/c") == "https://a.b/c/blob/main/core/x.md"
    assert help_pages.where("rigs.md#at-a-glance", "https://a.b") == "rigs.html#at-a-glance"
    assert help_pages.where("https://a.b", "") == "https://a.b"
    without, with_one = (help_pages.made(ROOT, site)["help/panel.html"].decode() for site in ("", "https://a.b/c"))
    assert "a folder that you trained." in without
    assert 'you <a href="https://a.b/c/blob/main/docs/training.md">trained</a>.' in with_one


def test_a_signpost_leads_on_to_every_second_heading(made):
    known = pages(made)
    for name in help_pages.PAGES:
        for anchor in re.findall(r'<h2 id="([^"]+)"', known[f"help/{name}.html"]):
            assert f"url=../{name}.html#{anchor}" in known[f"help/{name}/{anchor}.html"]


def test_pictures_say_their_size(tmp_path):
    Image.new("RGB", (30, 7)).save(tmp_path / "a.png")
    assert help_pages.size(tmp_path / "a.png") == (30, 7)
    Image.new("RGB", (30, 7)).save(tmp_path / "b.png", "JPEG")
    with pytest.raises(ValueError, match="no PNG"):
        help_pages.size(tmp_path / "b.png")


def test_no_docs_no_help(tmp_path):
    assert help_pages.made(tmp_path) == {}
