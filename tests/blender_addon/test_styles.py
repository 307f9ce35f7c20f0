"""The styles of a model, and a choice of them as text."""

import hashlib
import json

import pytest

from blender_addon import model, styles


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


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("salsa", "Salsa"),
        ("salsa:0.7,pop:0.3", "70 % Salsa, 30 % Pop"),
        ("breakdance:0.5, indian", "50 % Breakdance, 100 % Indian Classical"),
        ("two_step", "Two Step"),
        ("salsa:much", "salsa:much"),
    ],
)
def test_a_choice_is_read_as_words(told, words):
    assert styles.words(told) == words


def test_what_a_model_was_tuned_for_is_in_its_configuration(model_folder, tmp_path):
    found = model.facts(model_folder)
    assert found.digest == hashlib.sha256((model_folder / "config.json").read_bytes()).hexdigest()
    sampling = {"motion": {"steps": 4, "guidance": 3}, "music": None, "light": {}}
    teacher = {"denoiser": {"guided": False}, "sampling": {"steps": 12, "guidance": 2}}
    quick = {"motion": {"guided": True, "context_entry": "added"}}
    told = {"styles": [], "sampling": sampling, "denoisers": quick, "teachers": {"motion": teacher}}
    (tmp_path / "config.json").write_text(json.dumps({"config": told}))
    found, fine = model.facts(tmp_path), model.facts(tmp_path, "fine")
    assert (found.steps, found.guidance, found.work) == ({"motion": 4}, {"motion": 3.0}, {"motion": 4.0})
    assert (fine.steps, fine.guidance, fine.work) == ({"motion": 12}, {"motion": 2.0}, {"motion": 48.0})
    assert found.taught and fine.digest == found.digest and not model.facts(model_folder).taught


def test_a_models_styles_are_in_its_configuration(model_folder, tmp_path):
    assert model.facts(model_folder).styles == ("salsa", "robot")
    assert model.facts(tmp_path) == model.Facts()
    for content in ("", "[]", json.dumps({"config": {}}), json.dumps({"config": {"styles": None}})):
        (tmp_path / "config.json").write_text(content + " " * len(content))
        model._read.cache_clear()
        assert model.facts(tmp_path).styles == ()
