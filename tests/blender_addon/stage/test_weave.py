"""The patterns of surfaces by numpy, against Cycles."""

import pytest

pytest.importorskip("bpy", reason="the bpy module is not installed")


def test_cycles_shows_the_same_patterns(look):
    """Sparkles differ one by one, but not in their mean; of the others, pixels on the outlines may differ."""
    found = look("woven.py")
    for pattern, share in (("plain", 0.0), ("stripes", 0.02), ("dots", 0.08)):
        assert found[pattern]["differs"] <= share, pattern
    for pattern, seen in found.items():
        assert seen["cycles"] == pytest.approx(seen["numpy"], abs=0.004), pattern
