import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.light.look import Behaviours, shipped_looks
from core.light.rules import write_show
from core.rhythm.sections import Section
from core.show import file
from core.show.channels import ROLES, SHOW_FPS
from core.show.flashes import MOST, most_flashes
from core.types import Beats
from tests.core.light.songs import made_dancer, made_song

LOOKS = shipped_looks()
PLAIN = replace(LOOKS["arena"], behaviours=Behaviours(), contrast=0.5, loudness=0.0)


def written(look, song=None, seed: int = 1, dancer=None):
    return write_show(song or made_song(), look, np.random.default_rng(seed), dancer)


def with_only(name: str, look: str = "arena", **changes):
    """A look that does nothing but one behaviour."""
    behaviour = replace(getattr(LOOKS[look].behaviours, name), **changes)
    return replace(PLAIN, behaviours=Behaviours(**{name: behaviour}))


@pytest.mark.parametrize("name", LOOKS)
def test_every_look_writes_a_safe_show(name):
    song = made_song(seconds=40, bpm=170, stops=((12.0, 12.8), (13.2, 13.7)), drops=(14.0, 22.6))
    show = written(LOOKS[name], song, dancer=made_dancer(song.frames))
    assert show.frames == song.frames and show.look == name and most_flashes(show) <= MOST
    assert file.decoded(json.loads(file.encoded(show)), "x").values.tolist() == show.values.tolist()
    assert max(show.part(f"{role}_level").max() for role in ROLES) > 0.3
    assert all(show.part(f"{role}_level")[-1] == 0 for role in ROLES), "the stage is dark at the end"


def test_a_seed_writes_the_same_show_and_another_seed_another():
    first, again, other = (written(LOOKS["disco"], seed=seed).values for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_loud_sections_are_brighter_by_the_contrast():
    show = written(PLAIN)
    level = show.part("side_level")
    quiet, loud = level[round(6 * SHOW_FPS)], level[round(18 * SHOW_FPS)]
    # another scene has other levels, by 12 % and 12 %
    assert quiet / loud == pytest.approx(0.5, rel=0.4)


def test_sections_of_one_kind_look_alike_and_others_do_not():
    looks = [written(replace(PLAIN, cues=replace(PLAIN.cues, chance=1.0)), seed=seed) for seed in range(4)]
    for show in looks:
        frames = [round((12 * i + 6) * SHOW_FPS) for i in range(4)]
        kinds = np.array([show.part("back_hue")[frame] for frame in frames])
        assert np.allclose(kinds[0], kinds[2], atol=1e-3) and np.allclose(kinds[1], kinds[3], atol=1e-3)
    assert any(not np.allclose(s.part("back_hue")[90], s.part("back_hue")[280], atol=0.05) for s in looks)


def test_cues_come_with_their_sections_and_say_why():
    show = written(replace(PLAIN, cues=replace(PLAIN.cues, chance=1.0)))
    assert [cue.seconds for cue in show.cues] == [0, 12, 24, 36] and all(cue.why for cue in show.cues)
    none = written(replace(PLAIN, cues=replace(PLAIN.cues, chance=0.0)))
    assert [cue.seconds for cue in none.cues] == [0]
    assert np.ptp(none.part("back_hue"), axis=0).max() < 1e-3, "without cues the scene stays"


def test_strokes_fall_on_strong_beats():
    look = with_only("pulse", chance=1.0)
    show = written(replace(look, contrast=0.0, cues=replace(look.cues, chance=0.0)), made_song(bpm=100))
    rises = np.flatnonzero(np.diff(show.part("back_level")) > 0.05) + 1
    inside = rises[(rises > 20) & (rises < show.frames - 60)] / SHOW_FPS
    distance = np.abs(inside[:, None] - np.arange(0, 48, 1.2)).min(axis=1)
    assert len(inside) > 30 and distance.max() <= 0.5 / SHOW_FPS + 1e-6


def test_a_stroke_is_seen_on_a_dim_stage_too():
    look = with_only("pulse", chance=1.0, depth=0.1)
    dim = replace(look, contrast=0.0, levels=dict.fromkeys(ROLES, 0.05), cues=replace(look.cues, chance=0.0))
    show = written(dim, made_song(bpm=100))
    rises = np.diff(show.part("back_level"))
    for beat in np.arange(2.4, 44, 1.2):
        at = round(beat * SHOW_FPS)
        assert rises[at - 2 : at + 1].max() > 0.1


def test_the_stage_is_dark_while_the_music_stops():
    show = written(with_only("blackout", chance=1.0), made_song(stops=((20.0, 21.0),)))
    dark = slice(round(20.1 * SHOW_FPS), round(20.9 * SHOW_FPS))
    assert all(not show.part(f"{role}_level")[dark].any() for role in ROLES)
    assert show.part("back_level")[round(21.5 * SHOW_FPS)] > 0.2
    assert "blackout" in [cue.name for cue in show.cues]


def test_a_drop_opens_the_stage_and_strobes():
    show = written(with_only("bloom", chance=1.0), made_song(drops=(24.0,)))
    at = round(24 * SHOW_FPS)
    levels = np.stack([show.part(f"{role}_level") for role in ROLES])
    assert levels[:, at].min() > 0.8 > levels[:, at - 3].max() and show.part("strobe")[at + 1] > 2
    assert not show.part("strobe")[: at - 1].any()


def test_a_chase_runs_over_the_stage_with_the_beats():
    show = written(with_only("chase", chance=1.0))
    loud = show.part("side_across")[round(13 * SHOW_FPS) : round(23 * SHOW_FPS)]
    assert set(np.round(loud, 2).tolist()) == {-0.75, -0.25, 0.25, 0.75}
    steps = np.flatnonzero(np.diff(loud))
    assert np.diff(steps).mean() == pytest.approx(0.5 * SHOW_FPS, rel=0.05)
    assert (show.part("side_spread")[: round(11 * SHOW_FPS)] == 1).all(), "nothing runs in a quiet section"


def test_levels_follow_the_dancer_and_so_does_the_spot():
    song, look = made_song(), with_only("energy", depth=0.8)
    show = written(look, song, dancer=made_dancer(song.frames))
    alone = written(look, song)
    inside = slice(20, song.frames - 60)
    lit = show.part("follow_level")[inside] / alone.part("follow_level")[inside]
    assert np.corrcoef(lit, np.linspace(0, 1, song.frames)[inside])[0, 1] > 0.999
    assert np.allclose(show.part("follow_across"), np.linspace(-1, 1, song.frames), atol=1e-3)
    assert not alone.part("follow_across").any()


def test_colours_follow_the_harmony():
    tension = np.where(np.arange(750) % 100 < 50, 0.0, 1.0)
    show = written(with_only("harmony", depth=1.0), made_song(tension=tension))
    hues = show.part("backdrop_hue")
    assert np.abs(hues[30] - hues[80]).max() > 0.2 and np.allclose(hues[30], hues[120], atol=1e-3)


def test_a_breath_takes_as_long_as_it_says():
    show = written(with_only("fade", "ballad", depth=1.0, bars=2.0))
    level = show.part("back_level")[round(13 * SHOW_FPS) : round(23 * SHOW_FPS)]
    lows = np.flatnonzero((level[1:-1] < level[:-2]) & (level[1:-1] <= level[2:]))
    assert np.diff(lows).mean() / SHOW_FPS == pytest.approx(4.0, abs=0.1)  # two bars of four beats at 120


def test_a_song_without_beats_and_form_gets_a_show():
    song = made_song(seconds=3, beats=Beats(torch.zeros(0)), sections=(Section(0.0, 3.0, 0, 1.0),))
    for look in LOOKS.values():
        assert written(look, song).frames == 47
