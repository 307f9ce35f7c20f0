"""Every link of the documentation leads somewhere, and every page and picture is reached."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from blender_addon.engine import sizes
from tests.docs.pages import PAGES, ROOT, Link, anchors, links

WEIGHT = 120_000  # bytes of a picture of the panel
PICTURES = ROOT / "docs" / "images"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in links(page):
        assert link.file.exists(), f"{page.name} links to {link.target}, which is not there"
        assert link.file.is_relative_to(ROOT)
        if link.anchor:
            assert link.anchor in anchors(link.file), f"{page.name}: {link.file.name} has no heading #{link.anchor}"


def test_every_page_is_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += [link.file for link in links(page) if link.file.suffix == ".md"]
    assert set(PAGES) <= reached, sorted(str(page.relative_to(ROOT)) for page in set(PAGES) - reached)


def test_every_picture_is_shown():
    shown = {link.file for page in PAGES for link in links(page)}
    pictures = {path for path in PICTURES.iterdir() if path.is_file()}
    assert pictures and pictures <= shown, sorted(path.name for path in pictures - shown)


def test_pictures_are_small():
    for path in PICTURES.iterdir():
        if path.name.startswith(("panel", "first")):
            assert path.stat().st_size < WEIGHT, path.name


def test_headings_are_named_as_github_names_them(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        '# May I sell it?\n## "It stands." (Blender 5)\n## Beats\n### `Add` a_b\n## Beats\n\n    # no heading\n\n'
        "A [link](other.md#beats), a [picture](a/b.png), a [site](https://x.y/#z).\n"
    )
    assert anchors(page) == {"may-i-sell-it", "it-stands-blender-5", "beats", "add-a_b", "beats-1"}
    assert links(page) == [Link(page, "other.md", "beats"), Link(page, "a/b.png", "")]


def test_the_panels_help_leads_to_headings():
    """F1 on a button opens the heading that the extension names."""
    page = ROOT / "docs" / "panel.md"
    source = (ROOT / "blender_addon" / "links.py").read_text()
    named = set(re.findall(r': "([a-z\-]+)",', source)) | set(re.findall(r'\*", "([a-z\-]+)"', source))
    assert len(named) > 10 and "engine" in named
    assert named <= anchors(page), sorted(named - anchors(page))
    told = re.search(r'REPORTING = "([a-z\-]+)"', source)
    assert told and told[1] in anchors(ROOT / "docs" / "troubleshooting.md")


def test_the_page_of_the_panel_has_every_button_and_field():
    text = (ROOT / "docs" / "panel.md").read_text()
    addon = ROOT / "blender_addon"
    sources = [
        *(addon / "operators").glob("*.py"),
        addon / "props.py",
        addon / "key_props.py",
        addon / "light_props.py",
        addon / "preferences.py",
    ]
    named = re.compile(r'(?:bl_label = |\bname=|_menu\("\w+", )"([A-Z][^"]+)"')
    found = {label.removesuffix("...") for path in sources for label in named.findall(path.read_text())}
    assert len(found) > 25
    hidden = {"Footlight: Choose Song", "Recent Songs", "Range", "Mix"}  # no label in the panel
    missing = {label for label in found - hidden if label not in text}
    assert not missing, sorted(missing)


def test_the_engines_sizes_are_those_that_the_panel_says():
    text = {name: (ROOT / name).read_text() for name in ("README.md", "docs/files.md", "docs/panel.md")}
    for cost in sizes.SMALL.values():
        assert sizes.text(cost.disk) in text["README.md"] and sizes.text(cost.disk) in text["docs/files.md"]
    assert sizes.text(sizes.SMALL["linux"].download) in text["README.md"]
    large = sizes.LARGE["linux"]
    assert sizes.text(large.download) in text["docs/panel.md"] and sizes.text(large.disk) in text["docs/panel.md"]


def test_the_version_of_the_zip_is_the_manifests():
    version = tomllib.loads((ROOT / "blender_manifest.toml").read_text())["version"]
    for page in PAGES:
        if page.name != "CHANGELOG.md":
            found = set(re.findall(r"footlight-(\d+\.\d+\.\d+)\.zip", Path(page).read_text()))
            assert found <= {version}, page.name
