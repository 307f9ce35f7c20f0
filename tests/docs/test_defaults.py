"""What the pages call normal is what Footlight does unless it is told otherwise."""

import re

import pytest

from core.protocol import DanceOptions
from tests.docs.pages import ROOT, text_of


@pytest.mark.parametrize("page", ["glossary.md", "panel.md"])
def test_the_normal_beat_snap(page):
    text = text_of(ROOT / "docs" / page)
    (said,) = re.findall(r"\*\*Beat snap\.?\*\*[^*]*?([\d.]+) is normal", " ".join(text.split()), re.IGNORECASE)
    assert float(said) == DanceOptions().beat_snap
