"""Dances to held-out takes of AIST++, with bodies and music whose beats are known."""

import pytest
import torch

from core.errors import FootlightError
from core.formats.motion import MotionClip
from core.metrics import beat, embedding
from core.motion import kinematics
from core.rhythm.features import Rhythm
from core.types import Beats
from tests.train.evaluation.material import prepared_takes, song, swaying, untrained_classifier
from train.data import dataset
from train.data.rates import MOTION_FPS
from train.evaluation.cache import Cache
from train.evaluation.dance import aist, momu
from train.evaluation.dance.material import Capture, Excerpt
from train.evaluation.dance.systems import System
from train.evaluation.performance import Performance

SECONDS = 8.0
TEMPI = (100.0, 120.0, 80.0)


def take(bpm: float, number: int, seconds: float = SECONDS) -> aist.Take:
    heard = song(bpm, seconds)
    quiet = torch.zeros(round(seconds * 62.5))
    beats = Beats(torch.arange(0, seconds, 60 / bpm), bpm)
    excerpt = Excerpt(f"take {number}", heard, Rhythm(beats, quiet, quiet), number)
    return aist.Take(excerpt, swaying(bpm, seconds, number), "aist house")


@pytest.fixture(scope="module")
def takes():
    return [take(bpm, number) for number, bpm in enumerate(TEMPI)]


@pytest.fixture(scope="module")
def found(takes, tmp_path_factory):
    """One system that sways on the beat, in a style of its own more widely, and a flat one that fails on one take."""
    styled = System("sways", "b", lambda e, seed: swaying(TEMPI[e.number], SECONDS, seed), "", ("house",))
    sways = System("sways", "a", styled.dance, "", ("house",), lambda style: styled)

    def drawn(excerpt, seed):
        if excerpt.number == 1:
            raise RuntimeError("stumbled")
        body = swaying(TEMPI[excerpt.number], SECONDS, seed)
        return MotionClip(kinematics.forward(body.rotations, body.root)[:, :14, :2], MOTION_FPS)

    stage = Performance(Cache(tmp_path_factory.mktemp("cache"), quiet=True))
    training = [Capture("m", "aist house", "train", swaying(90, SECONDS))]
    report = aist.report([sways, System("flat", "c", drawn, "")], takes, training, None, 2, stage)
    assert [failure["song"] for failure in stage.failures] == ["take 1", "take 1"]
    return report


def test_takes_are_the_first_val_pairs_of_aist(tmp_path):
    found = aist.takes(prepared_takes(tmp_path), 30.0)
    assert [(take.song.name, take.song.number, take.style) for take in found] == [
        ("gHO_a", 0, "house"),
        ("gHO_b", 1, "house"),
    ]
    assert found[0].song.seconds == pytest.approx(4, abs=0.01) and found[0].motion.fps == 30
    assert found[0].song.beats.times.diff().mean() == pytest.approx(0.6)
    assert len(aist.takes(tmp_path, 30.0, most=1)) == 1


def test_takes_need_waveforms_and_aist(tmp_path):
    with pytest.raises(FootlightError, match="--waveforms"):
        aist.takes(prepared_takes(tmp_path, waves=False), 30.0)
    (tmp_path / dataset.PAIRS).write_text("")
    with pytest.raises(FootlightError, match="AIST"):
        aist.takes(tmp_path, 30.0)


def test_all_dance_to_every_take_and_capture_stands_beside(found):
    assert found["takes"] == 3 and found["seconds"] == pytest.approx(3 * SECONDS, abs=0.1)
    assert list(found["rows"]) == ["motion capture", "sways", "sways, in the take's style", "flat"]
    assert "solid" not in found["rows"]["flat"] and found["rows"]["flat"]["flat"]["onsets"]["f1_interval"]["units"] == 2
    assert found["rows"]["sways"]["flat"]["hits"]["f1_interval"]["units"] == 3


def test_whoever_turns_on_beats_hits_them(found):
    """The arms turn round on every click, which is where they are slowest. Seen from the front too."""
    for view in ("flat", "solid"):
        hits = found["rows"]["sways"][view]["hits"]
        assert hits["f1"] > 0.8 > 0.6 > hits["f1_chance"]
        assert hits["f1_interval"]["mean"] == pytest.approx(
            2 * hits["bcs"] * hits["bhs"] / (hits["bcs"] + hits["bhs"]), abs=0.02
        )


def test_the_front_view_has_the_papers_joints_and_rate(takes):
    body = takes[0].motion
    places = aist.from_the_front(body)
    assert places.shape[1:] == (14, 2) and len(places) / 60 == pytest.approx(body.seconds, abs=0.05)
    solid = aist.in_space(body)
    assert solid is not None and len(solid) == len(places)
    ankle = solid[:, 8, 1]  # right; heights are the same from everywhere
    assert torch.allclose(places[:, 10, 1].double(), ankle, atol=1e-3)
    flat = MotionClip(torch.zeros(40, 14, 2), 30.0)
    assert aist.in_space(flat) is None and aist.from_the_front(flat).shape == (79, 14, 2)


def test_onsets_are_those_of_the_sound(takes):
    known = aist.beats_of([(takes[0], aist.from_the_front(takes[0].motion))])["onsets"]
    onset = aist.kinematic_onsets(aist.from_the_front(takes[0].motion), 60.0).times.double()
    bcs, bhs = beat.tolerant(beat.within(onset, SECONDS), beat.within(takes[0].song.onsets, SECONDS))
    assert (known["bcs"], known["bhs"]) == (bcs, bhs)


def test_divergence_is_from_the_own_take_and_from_others(takes):
    """Capture of the takes is 0 from itself, and from others what real dances are from each other."""
    classifier = untrained_classifier()
    captured = [take.motion for take in takes]
    own = aist.row([[motion] for motion in captured], takes, captured, classifier)["embedding"]
    assert own["mean_kld"] == pytest.approx(0) and own["fid"] == pytest.approx(0, abs=1e-9)
    among = embedding.evaluate(captured, captured, classifier)["mean_kld_real"]
    assert own["mean_kld_others"] == pytest.approx(among)
    twice = aist.row([[motion, motion] for motion in captured], takes, captured, classifier)["embedding"]
    assert twice["mean_kld_others"] == pytest.approx(among)


def test_a_take_that_is_shorter_than_a_window_changes_no_figure(takes):
    captured, short = [take.motion for take in takes], take(90.0, 3, seconds=3.0)
    found, known = (
        aist.row([[take.motion] for take in some], some, captured, untrained_classifier())["embedding"]
        for some in ([*takes, short], takes)
    )
    assert found == pytest.approx(known)


def test_the_tables_say_what_is_a_subset_and_what_is_quoted(found):
    (five,) = momu.aist_tables(found)
    assert "subset" in five.title.lower() and "3 held-out takes, 24 s" in five.note and five.quoted == 3
    assert [row[0] for row in five.rows][:3] == ["motion capture, 2-D", "motion capture, 3-D", "sways, 2-D"]
    assert five.rows[-1][:2] == ("MoMu-Diffusion (paper, AIST++)", "39.2")
    known = {"fid": 3.0, "diversity_inter": 4.0, "diversity_inter_real": 8.0, "mean_kld": 1.0, "mean_kld_others": 2.0}
    known |= {"windows": 9, "accuracy": 0.5, "accuracy_chance": 0.1, "accuracy_takes": 3}
    rows = {name: row | {"embedding": known} for name, row in found["rows"].items() if name != "flat"}
    five, six = momu.aist_tables(found | {"rows": rows})
    assert six.rows[1] == ("sways", "3.00", "4.00", "0.50 x", "1.00", "2.00", "9.00")
    assert all(len(row) == len(table.headers) for table in (five, six) for row in table.rows)
