"""Dance and light from a tiny theatre with random weights: who is made, who is heard, and what is kept."""

import shutil
import sys
from collections import Counter
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from core.audio.onsets import RHYTHM_RATE
from core.edits.parts import parse_parts
from core.errors import FootlightError, collected_warnings
from core.light.look import encoded_look, shipped_looks
from core.motion import features, rotation
from core.motion.kinematics import forward
from core.pipeline import (
    DanceOptions,
    Edit,
    Known,
    LitSong,
    Model,
    Sound,
    TheatreOptions,
    answer_theatre,
    begin_theatre,
    beginning,
    generate_theatre,
    hear_lit,
    hear_song,
    lit_song,
    read_theatre,
    returning,
    sound,
)
from core.pipeline.lit_dance import LitTask
from core.pipeline.theatre import KnownLight, Performance, as_dance, as_show, look_vector, perform, perform_to
from core.protocol import TheatreRequest
from core.rhythm.sections import Section
from core.show import file as show_file
from core.show.channels import CHANNELS, ROLES, SLICES
from core.show.flashes import most_flashes, role_light
from core.show.show import Show, as_valid, check_values
from core.types import Beats, Motion, Waveform

OPTIONS = DanceOptions(seed=3, steps=3, guidance=2.0)


@pytest.fixture(scope="module")
def model(theatre_folder):
    return Model.load(theatre_folder, "cpu")


@pytest.fixture(scope="module")
def song(make_song):
    return make_song(4.0)


@pytest.fixture(scope="module")
def made(model, song):
    return perform(model, song, OPTIONS, look_vector(model, "noir"))


def motion_of(performance: Performance) -> torch.Tensor:
    assert performance.motion is not None
    return performance.motion


def some_light(frames: int) -> torch.Tensor:
    draw = torch.rand(frames, CHANNELS, generator=torch.Generator().manual_seed(5)).numpy()
    return torch.from_numpy(as_valid(draw))


def test_a_song_becomes_a_dance_and_its_light(made, model, song):
    assert made.motion is not None and made.light_fps == model.config.latent_fps
    assert made.motion.shape[1] == 140 and bool(made.motion.isfinite().all())
    assert made.light.shape == (len(made.motion) // model.config.modalities["motion"].autoencoder.stride, CHANNELS)
    assert len(made.light) / made.light_fps >= song.seconds
    check_values(made.light.numpy())


def test_the_same_arguments_give_the_same_performance(made, model, song):
    again = perform(model, song, OPTIONS, look_vector(model, "noir"))
    assert torch.equal(motion_of(again), motion_of(made)) and torch.equal(again.light, made.light)


def test_seed_look_and_accent_are_heard(made, model, song):
    noir = look_vector(model, "noir")
    for other in (
        perform(model, song, replace(OPTIONS, seed=4), noir),
        perform(model, song, OPTIONS, look_vector(model, "disco")),
        perform(model, song, OPTIONS, noir, accent="arrive"),
    ):
        assert not torch.equal(motion_of(other), motion_of(made)) and not torch.equal(other.light, made.light)
    own = perform(model, song, OPTIONS, noir, accent=model.config.theatre.accent)
    assert torch.equal(motion_of(own), motion_of(made))


def test_moves_of_a_dance_with_light_are_repeated_as_asked(model, make_song):
    """Two moves of two bars: the pattern of the style, which dances both times the same one, and two of one each."""
    song, noir = make_song(16.0), look_vector(model, "noir")

    def danced(**chosen):
        return motion_of(perform(model, song, replace(OPTIONS, **chosen), noir))

    usual, free = danced(), danced(free_form=True)
    assert torch.equal(danced(moves="AAAB"), usual) and torch.equal(danced(moves="AB"), free)
    assert not torch.equal(usual, free)


def test_light_is_made_for_a_dance_which_it_sees(made, model, song):
    dance = features.decode(motion_of(made), fps=31.25)
    lit = perform(model, song, OPTIONS, look_vector(model, "noir"), motion=dance)
    assert lit.motion is None and lit.light.shape == made.light.shape
    still = Motion(
        dance.rotations[:1].expand(len(dance.root), -1, -1), dance.root[:1].expand(len(dance.root), -1), 31.25
    )
    other = perform(model, song, OPTIONS, look_vector(model, "noir"), motion=still)
    assert not torch.equal(other.light, lit.light)


def test_a_dance_is_made_for_light_which_stays_as_it_is(made, model, song):
    given = some_light(len(made.light))
    danced = perform(model, song, OPTIONS, light=KnownLight(given))
    assert torch.equal(danced.light, given)
    other = perform(model, song, OPTIONS, light=KnownLight(given.flip(0)))
    assert not torch.equal(motion_of(other), motion_of(danced))


def test_given_frames_and_roles_come_out_as_they_are(made, model, song):
    given, mask = some_light(len(made.light)), torch.zeros(len(made.light), CHANNELS, dtype=torch.bool)
    mask[:20] = True
    for part in (f"{ROLES[0]}_hue", f"{ROLES[0]}_level"):
        mask[:, SLICES[part]] = True
    kept = perform(model, song, OPTIONS, look_vector(model, "noir"), light=KnownLight(given, mask))
    assert torch.equal(kept.light[mask], given[mask])
    assert not torch.equal(kept.light[~mask], given[~mask])
    check_values(kept.light.numpy())
    short = perform(model, song, OPTIONS, light=KnownLight(given[:20]))
    assert torch.equal(short.light[:20], given[:20]) and len(short.light) == len(made.light)


@pytest.mark.parametrize("parts", ["all", "upper"])
def test_what_is_kept_of_a_dance_is_the_same_bit_by_bit_and_lit_anew(model, song, swaying, parts):
    base = swaying(120, 30.0)
    edit = Edit(base, 40, 80, parse_parts(parts))
    lit = generate_theatre(model, song, TheatreOptions(seed=1, steps=3, look="noir"), Known(edit=edit))
    made = lit.dance.motion
    keep = edit.hold
    assert torch.equal(made.rotations[keep], base.rotations[keep]) and made.frames == base.frames
    assert torch.equal(made.root[keep[:, 0]], base.root[keep[:, 0]])
    apart = rotation.angle(made.rotations, base.rotations)
    assert float(apart[~keep].mean()) > 0.02 and bool(made.rotations.isfinite().all())
    assert lit.light.show.look == "noir" and lit.light.show.frames == round(song.seconds * lit.light.show.fps)
    other = generate_theatre(model, song, TheatreOptions(seed=1, steps=3, look="noir"), Known(motion=base))
    assert other.dance.motion is base and not np.array_equal(other.light.show.values, lit.light.show.values)


def test_a_performance_is_finished(made, model, song):
    show = as_show(made, song.seconds, "noir")
    assert show.frames == round(song.seconds * made.light_fps) and show.look == "noir"
    assert most_flashes(show) <= 3
    dance = as_dance(model, made, song.seconds, DanceOptions(fps=25.0))
    assert dance.motion.frames == 100 and dance.beats is made.rhythm.beats


def test_colours_change_where_a_section_starts_and_what_is_given_stays(model, song):
    """Of a network whose light knows no sections."""
    lit, fps = heard_of(model, song), model.config.latent_fps
    options, frame = replace(OPTIONS, seed=4), round(2.0 * fps)
    sections = (Section(0.0, 2.0, 0, 0.5), Section(2.0, song.seconds, 1, 1.0))
    plain, made = (perform_to(model, replace(lit, sections=some), options) for some in ((), sections))
    own, moved = plain.light.numpy(), made.light.numpy()

    def change(values: np.ndarray) -> float:
        """Of the mean light, at the start of the second section."""
        light = role_light(values, (0.0,))
        return float(np.linalg.norm(light[frame:].mean(axis=0) - light[:frame].mean(axis=0)))

    assert change(moved) > 1.2 * change(own)
    assert as_show(made, song.seconds).sections == (0.0, 2.0)
    given = KnownLight(torch.from_numpy(own[: frame + 1]))
    again = perform_to(model, replace(lit, sections=sections), options, light=given)
    assert torch.equal(again.light[: frame + 1], plain.light[: frame + 1])


def test_light_that_is_given_and_safe_is_shown_as_it_is(made, model, song):
    given = some_light(1).expand(len(made.light), -1).clone()
    given[:, SLICES["strobe"]] = 0
    show = as_show(perform(model, song, OPTIONS, light=KnownLight(given)), song.seconds)
    assert torch.equal(torch.from_numpy(show.values), given[: show.frames])


def test_a_look_is_a_name_a_file_or_a_picture(model, tmp_path):
    (tmp_path / "look.json").write_bytes(encoded_look(shipped_looks()["disco"]))
    Image.new("RGB", (64, 48), (200, 30, 30)).save(tmp_path / "red.png")
    for name in ("look.json", "red.png"):
        vector = look_vector(model, str(tmp_path / name))
        assert vector.shape == (model.config.theatre.style,) and float(vector.norm()) == pytest.approx(1, abs=1e-5)


def test_a_shipped_look_that_the_theatre_was_not_trained_with_is_that_of_its_file(model, song, tmp_path):
    (tmp_path / "look.json").write_bytes(encoded_look(shipped_looks()["neon"]))
    assert torch.equal(look_vector(model, "neon"), look_vector(model, str(tmp_path / "look.json")))
    assert generate_theatre(model, song, TheatreOptions(look="neon", steps=2)).light.show.look == "neon"


def test_a_picture_without_pillow_says_what_is_missing(model, tmp_path, monkeypatch):
    Image.new("RGB", (64, 48), (200, 30, 30)).save(tmp_path / "red.png")
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "core.light.picture", raising=False)
    with pytest.raises(FootlightError, match=r"Pillow.*choose a look by its name"):
        look_vector(model, str(tmp_path / "red.png"))


def test_a_longer_song_is_made_in_windows(model, make_song):
    long = perform(model, make_song(16.0), replace(OPTIONS, steps=2))
    assert len(long.light) > 2 * model.config.theatre.sampling["light"].window
    assert bool(motion_of(long).isfinite().all())


def test_what_cannot_be_made_says_why(model, model_folder, song):
    with pytest.raises(FootlightError, match="the model tiny has no theatre: choose another, or train it"):
        perform(Model.load(model_folder, "cpu"), song, OPTIONS)
    with pytest.raises(FootlightError, match="unknown look 'opera': this model knows disco, noir; or give"):
        look_vector(model, "opera")
    with pytest.raises(FootlightError, match="strike, arrive"):
        perform(model, song, OPTIONS, accent="stumble")
    with pytest.raises(FootlightError, match=r"expected \(frames, 66\)"):
        perform(model, song, OPTIONS, light=KnownLight(torch.zeros(10, 3)))


def test_a_folder_without_theatre_is_what_it_was(model, model_folder):
    before = Model.load(model_folder, "cpu")
    assert before.theatre is None and set(before.autoencoders) == {"motion", "music"}
    assert not (model_folder / "theatre.safetensors").exists()
    assert set(model.denoisers) == set(before.denoisers)
    for name, denoiser in before.denoisers.items():
        for key, value in denoiser.state_dict().items():
            assert torch.equal(model.denoisers[name].state_dict()[key], value)


def test_a_folder_that_lacks_its_theatre_is_damaged(theatre_folder, tmp_path):
    shutil.copytree(theatre_folder, tmp_path / "model")
    (tmp_path / "model" / "theatre.safetensors").unlink()
    with pytest.raises(FootlightError, match=r"theatre\.safetensors is missing"):
        Model.load(tmp_path / "model", "cpu")


def test_the_first_seconds_come_early_and_change_nothing(model, make_song, monkeypatch, tmp_path):
    """The tiny theatre's two chains hear each other, so that they are near the whole and not the same."""
    monkeypatch.setattr(beginning, "SHOWN", 4.0)
    song = make_song(45.0)
    files = {"out": "dance.npz", "out_light": "SHOW.json", "preview": str(tmp_path / "first.npz")}
    request = TheatreRequest(song="song.wav", steps=3, seed=2, look="noir", fps=24, beat_snap=0.0, **files)
    heard = heard_of(model, song)

    def asked(**changes: object) -> LitTask:
        return read_theatre(model, heard, replace(request, **changes))

    task = asked()
    begun = begin_theatre(model, task)
    assert begun is not None and 0.1 < begun.share < 0.3
    first, whole = begun.preview, answer_theatre(model, task, begun)
    assert first.motion.frames == 96 and first.motion.fps == 24 and first.style == whole.dance.style
    early, late = (forward(one.rotations, one.root) for one in (first.motion, whole.dance.motion))
    others = [answer_theatre(model, asked(seed=seed)) for seed in (3, 4)]  # so far apart are two at random
    dances = [forward(one.dance.motion.rotations, one.dance.motion.root) for one in others]
    near, *far = (float((early - one[:96]).norm(dim=-1).mean()) for one in (late, *dances))
    assert near < 0.1 * np.mean(far), (near, far)
    shows = [begun.show, whole.light.show, *(one.light.show for one in others)]
    shown = round(4.0 * model.config.latent_fps)
    assert begun.show is not None and begun.show.frames == shown and begun.show.look == "noir"
    apart = [np.abs(shows[0].values - one.values[:shown]).mean(axis=1) for one in shows[1:]]
    near, *far = (float(np.median(one)) for one in apart)  # of frames, some of which the limiter of flashes holds
    assert most_flashes(begun.show) <= 3 and near < 0.2 * np.mean(far), (near, far)
    plain = answer_theatre(model, asked(preview=None))
    assert torch.equal(plain.dance.motion.rotations, whole.dance.motion.rotations)
    assert begin_theatre(model, asked(preview=None)) is None
    short = make_song(15.0)
    assert begin_theatre(model, read_theatre(model, heard_of(model, short), request)) is None


def test_a_preview_and_its_whole_hear_the_song_and_read_the_show_once(model, make_song, monkeypatch, tmp_path):
    monkeypatch.setattr(beginning, "SHOWN", 4.0)
    song, show = make_song(45.0), tmp_path / "SHOW.json"
    given = some_light(1).expand(round(45 * model.config.latent_fps), -1).numpy()
    show.write_bytes(show_file.encoded(Show(given, model.config.latent_fps)))
    calls = Counter()

    def counted(module: ModuleType, name: str) -> None:
        function = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *args: calls.update([name]) or function(*args))

    for module, name in (
        (returning, "sections_of"),
        (lit_song, "song_rows"),
        (sound, "rhythm_mel"),
        (show_file, "read"),
    ):
        counted(module, name)
    slower = sound.resample(song, 2 * song.rate)  # so that the model's rate is another one
    counted(sound, "resample")
    files = {"out": "dance.npz", "light": str(show), "preview": str(tmp_path / "first.npz")}
    task = read_theatre(model, heard_of(model, slower), TheatreRequest(song="song.wav", steps=1, **files))
    begun = begin_theatre(model, task)
    assert begun is not None and begun.show is None, "the light is given"
    assert answer_theatre(model, task, begun).dance.motion.frames == 45 * 30
    rates = {model.config.signal.audio_rate, RHYTHM_RATE}
    assert calls == {"sections_of": 1, "song_rows": 1, "rhythm_mel": 1, "resample": len(rates), "read": 1}


def test_a_song_that_is_heard_once_is_heard_as_by_itself(model, song):
    """Sound that is shared gives the vectors and the cues that the song alone gives."""
    one, other = heard_of(model, song), hear_lit(model, song, hear_song(model, song))
    assert torch.equal(one.music, other.music) and torch.equal(one.cues, other.cues)
    assert torch.equal(one.heard.condition.context["music"], other.heard.condition.context["music"])


@pytest.mark.parametrize(
    ("late", "accent", "arrives"),
    [(0.0, None, False), (0.25, None, True), (0.0, "arrive", True), (0.25, "strike", False)],
    ids=["strikes", "arrives", "told to arrive", "told to strike"],
)
def test_of_a_dance_that_strikes_only_its_energy_on_beats_is_told(model, song, late, accent, arrives):
    """A body that is fastest on every beat, or half a beat after it, where it is slowest on them."""
    time = torch.arange(120, dtype=torch.float64) / 30.0
    root = torch.zeros(120, 3)
    root[:, 0] = 0.2 * torch.sin(2 * torch.pi * (time - late)).float()  # as fast as can be every half a second
    still = torch.tensor([1.0, 0.0, 0.0, 0.0]).expand(120, 22, 4)
    beats = Beats(torch.arange(8) / 2.0, 120.0, torch.arange(8) % 4 == 0)
    options = TheatreOptions(steps=1, accent=accent)
    metrics = generate_theatre(model, song, options, Known(motion=Motion(still, root, 30.0)), beats).dance.metrics
    assert ("beat" in metrics) == arrives
    assert metrics["energy_on_beats"] > 1.5 if late == 0.0 else metrics["energy_on_beats"] < 0.5


def heard_of(model: Model, song: Waveform) -> LitSong:
    """A song as the engine hears it."""
    once = Sound(song)
    return hear_lit(model, once, hear_song(model, once))


def test_a_dance_of_another_length_than_its_song_is_told(model, song, made):
    dance = features.decode(motion_of(made), fps=31.25)
    for known, words in ((dance.cut(0, 62), "the light has no dancer"), (longer(dance), "is not lit")):
        with collected_warnings() as said:
            generate_theatre(model, song, TheatreOptions(steps=1), Known(motion=known))
        assert len([text for text in said if words in text and "the song 4.00 s" in text]) == 1, said
    with collected_warnings() as said:
        generate_theatre(model, song, TheatreOptions(steps=1), Known(motion=dance.cut(0, 125)))
    assert not said


def longer(dance: Motion) -> Motion:
    """A dance that is danced twice."""
    return Motion(torch.cat([dance.rotations] * 2), torch.cat([dance.root] * 2), dance.fps)
