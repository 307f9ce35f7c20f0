"""Warnings on their way from where they arise to whoever shows them."""

import warnings

import pytest

from core.errors import FootlightWarning, collected_warnings, warn


def test_warnings_are_collected_in_order_and_once():
    with collected_warnings() as messages:
        for text in ("the tail is damaged", "a gap", "the tail is damaged"):
            warn(text)
    assert messages == ["the tail is damaged", "a gap"]


def test_warnings_of_libraries_go_their_own_way():
    def work() -> list[str]:
        with collected_warnings() as messages:
            warnings.warn("a library", UserWarning, stacklevel=1)
            warn("ours")
        return messages

    with pytest.warns(UserWarning, match="a library"):
        assert work() == ["ours"]


def test_without_a_collector_they_are_warnings_like_others():
    with pytest.warns(FootlightWarning, match="the tail is damaged"):
        warn("the tail is damaged")
