"""The engine makes music and duets as it makes dances: whole or not at all."""

import numpy as np
import pytest
import soundfile

from tests.core.test_engine import Process


@pytest.fixture(scope="module")
def warm(model_folder):
    engine = Process(model_folder)
    engine.until(type="ready")
    yield engine
    assert engine.end() == 0


def test_a_score_arrives_whole(warm, swinging, tmp_path):
    out = tmp_path / "music.wav"
    warm.seen.clear()
    warm.send({"id": 1, "op": "score", "motion": str(swinging), "out": str(out), "midi": str(tmp_path / "m.mid")})
    done = warm.until(type="done", id=1)
    fractions = [event["fraction"] for event in warm.seen if event["type"] == "progress"]
    assert len(fractions) > 6 and fractions == sorted(fractions) and fractions[-1] <= 1
    assert done["out"] == str(out) and done["seconds"] == 4.0 and done["rate"] == 16_000
    assert done["tempo"] == pytest.approx(120, abs=3) and len(done["beats"]) == len(done["downbeats"])
    info = soundfile.info(out)
    assert (info.frames, info.samplerate, info.channels) == (64_000, 16_000, 2)
    assert (tmp_path / "m.mid").is_file()


def test_the_engines_own_dance_can_be_scored(warm, song_file, tmp_path):
    dance, out = tmp_path / "dance.npz", tmp_path / "music.flac"
    warm.send({"id": 2, "op": "dance", "song": str(song_file), "out": str(dance), "seconds": 3})
    warm.until(type="done", id=2)
    warm.send({"id": 3, "op": "score", "motion": str(dance), "out": str(out), "mono": True, "steps": 2})
    warm.until(type="done", id=3)
    assert soundfile.info(out).frames == 48_000 and soundfile.info(out).channels == 1


def test_a_duet_arrives_as_two_files(warm, tmp_path):
    dance, music = tmp_path / "a.npz", tmp_path / "a.wav"
    request = {"id": 4, "op": "duet", "seconds": 6, "fps": 24, "out_motion": str(dance), "out_music": str(music)}
    warm.send({**request, "steps": 3, "style": "salsa:0.3"})
    done = warm.until(type="done", id=4)
    assert (done["frames"], done["fps"], done["seconds"]) == (144, 24, 6.0)
    assert soundfile.info(music).frames == 96_000
    with np.load(dance, allow_pickle=False) as file:
        assert file["rotations"].shape == (144, 22, 4)


def test_a_cancelled_duet_leaves_nothing(warm, tmp_path):
    request = {"id": 5, "op": "duet", "seconds": 60, "out_motion": str(tmp_path / "a.npz")}
    warm.send({**request, "out_music": str(tmp_path / "a.wav"), "steps": 200})
    warm.until(type="progress", id=5, stage="Inventing")
    warm.send({"op": "cancel", "id": 5})
    assert warm.until(id=5, type="cancelled")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        ({"op": "score", "motion": "none.bvh", "out": "{folder}/a.wav"}, "none.bvh"),
        ({"op": "score", "motion": "{motion}", "out": "{folder}/nowhere/a.wav"}, "no folder"),
        ({"op": "score", "motion": "{motion}", "out": "{folder}/a.wav", "style": "polka"}, "polka"),
        ({"op": "duet", "seconds": 1, "out_motion": "{folder}/a.npz", "out_music": "{folder}/a.wav"}, "5"),
        ({"op": "score", "out": "{folder}/a.wav"}, "motion"),
    ],
)
def test_bad_requests_are_answered(warm, swinging, tmp_path, request_, word):
    filled = {
        name: value.format(folder=tmp_path, motion=swinging) if isinstance(value, str) else value
        for name, value in request_.items()
    }
    warm.send({"id": 6, **filled})
    error = warm.until(type="failed", id=6)
    assert error["kind"] == "input" and word in error["message"]
    assert list(tmp_path.iterdir()) == []
