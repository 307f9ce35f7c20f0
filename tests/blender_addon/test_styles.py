"""The styles of a model, and a choice of them as text."""

import json

import pytest

from blender_addon import styles


@pytest.mark.parametrize(
    ("first", "second", "share", "text"),
    [
        ("", "", 0.5, None),
        ("", "pop", 0.5, None),
        ("salsa", "", 0.5, "salsa"),
        ("salsa", "salsa", 0.5, "salsa"),
        ("salsa", "pop", 0.3, "salsa:0.7,pop:0.3"),
        ("salsa", "pop", 1 / 3, "salsa:0.667,pop:0.333"),
        ("salsa", "pop", 0.0, "salsa"),
        ("salsa", "pop", 1.0, "pop"),
    ],
)
def test_a_choice_is_told_as_text(first, second, share, text):
    assert styles.text(first, second, share) == text


def test_a_models_styles_are_in_its_configuration(model_folder, tmp_path):
    assert styles.of_model(model_folder) == ("salsa", "robot")
    assert styles.of_model(tmp_path) == ()
    for content in ("", "[]", json.dumps({"config": {}}), json.dumps({"config": {"styles": None}})):
        (tmp_path / "config.json").write_text(content + " " * len(content))
        styles._read.cache_clear()
        assert styles.of_model(tmp_path) == ()
