"""Baselines and ablations of the music side: as configurations, and trained, exported, loaded and danced with."""

from dataclasses import replace

import pytest
import torch

from core import checkpoint, config, pipeline, records
from core.audio import io
from core.audio.representation import to_float
from core.autoencoder.identity import Identity
from core.autoencoder.networks import autoencoder_of
from core.cli import main as footlight
from core.config import preset
from core.errors import FootlightError
from core.formats import bvh
from core.rhythm.features import Rhythm
from core.types import Beats, Waveform
from train import export, fit, recipes
from train.data import latents, synthetic
from train.data.encoder import encoded
from train.loop import LoopConfig
from train.options import Fit, model_config
from train.tasks.mel_vae import MelVAEConfig, MelVAETask, louder, spread
from train.variants import music_side


@pytest.mark.parametrize("name", ["tiny", "default", "paper"])
@pytest.mark.parametrize("latents", [None, "none"])
@pytest.mark.parametrize("music", [None, "mel", "waveform", "features35"])
def test_every_variant_of_every_preset_keeps_the_clock(name, latents, music):
    base = preset(name)
    made = music_side(base, music, latents, rhythm=False)  # Config itself refuses rates that differ
    assert made.modalities["music"].representation == (music or "mel")
    assert made.latent_fps == (base.modalities["motion"].fps if latents else base.latent_fps)
    assert made.denoisers["motion"].latent_channels == made.modalities["motion"].autoencoder.latent_channels
    assert made.denoisers["motion"].context == {"music": made.modalities["music"].autoencoder.latent_channels}
    assert made.denoisers["motion"].rhythm_channels == 0
    windows = [config.sampling["motion"].window / config.latent_fps for config in (made, base)]
    assert windows[0] == windows[1]
    assert music_side(made, music, latents, rhythm=False) == made
    assert records.from_json(config.Config, records.to_json(made), "config") == made


def test_no_flags_no_change():
    for name in ("tiny", "default", "paper"):
        assert music_side(preset(name)) == preset(name)


def test_what_is_gone_does_not_come_back():
    edge = music_side(preset("default"), "features35", "none")
    with pytest.raises(FootlightError, match="no motion autoencoder to keep"):
        music_side(edge, latents="vae")
    with pytest.raises(FootlightError, match="no music autoencoder that could hear waveform"):
        music_side(edge, "waveform")


def test_configurations_that_cannot_be_are_refused():
    tiny = preset("tiny")
    music = tiny.modalities["music"]

    def with_music(**changes):
        return replace(tiny, modalities={**tiny.modalities, "music": replace(music, **changes)})

    with pytest.raises(FootlightError, match="unknown representation of music 'notes'"):
        with_music(representation="notes")
    with pytest.raises(FootlightError, match="unknown kind of autoencoder"):
        replace(music.autoencoder, kind="magic")
    with pytest.raises(FootlightError, match="as many latent channels as channels"):
        replace(music.autoencoder, kind="identity")
    with pytest.raises(FootlightError, match="its autoencoder takes 80"):
        with_music(representation="waveform")
    with pytest.raises(FootlightError, match=r"one frame rate.*music gives 62\.5"):
        with_music(autoencoder=replace(music.autoencoder, halvings=0))
    with pytest.raises(FootlightError, match=r"makes 31\.25: set modalities\.music\.fps"):
        replace(tiny, signal=replace(tiny.signal, hop_samples=512))
    wide = replace(tiny.denoisers["motion"], context={"music": 7})
    with pytest.raises(FootlightError, match="takes 7 latent channels of music, which has 6"):
        replace(tiny, denoisers={**tiny.denoisers, "motion": wide})
    with pytest.raises(FootlightError, match="takes 6 latent channels of light, which is none"):
        replace(tiny, denoisers={**tiny.denoisers, "music": replace(tiny.denoisers["music"], context={"light": 6})})
    with pytest.raises(FootlightError, match=r"add sampling\.music"):
        replace(tiny, sampling={"motion": tiny.sampling["motion"]})


def test_the_condition_is_on_the_clock_of_the_clicks():
    """Frames that are conditioned as beats are those in which the clicks sound."""
    pair = synthetic.pairs()["train"][0]
    for chosen in (music_side(preset("tiny"), "features35"), music_side(preset("default"), "features35")):
        frames = latents.music_of(pair, chosen)
        assert len(frames) == len(pair.root) * chosen.latent_fps / chosen.modalities["motion"].fps
        beats = torch.nonzero(frames[:, -1])[:, 0] / chosen.latent_fps
        assert (beats - pair.beats[: len(beats)]).abs().max() <= 0.5 / chosen.latent_fps + 1e-4
    wave = latents.music_of(pair, music_side(preset("tiny"), "waveform"))
    assert wave.shape == (len(pair.mel), 256)
    at = (pair.beats[1:-1] * 62.5).long()
    assert wave.square().mean(dim=1)[at + 1].min() > 20 * wave.square().mean(dim=1).median()
    with pytest.raises(FootlightError, match="has no waveform"):
        latents.music_of(replace(pair, wave=None), music_side(preset("tiny"), "waveform"))


def test_waveforms_stay_small_until_a_crop_is_taken():
    tiny = music_side(preset("tiny"), "waveform")
    songs = fit.load_training_songs(Fit("mel-vae", "synthetic", "."), tiny, {})
    assert {song.dtype for song in songs["train"]} == {torch.int16}
    task = MelVAETask(tiny, MelVAEConfig(frames=64, gain=0.0), songs)
    batch = task.batch(3, torch.Generator().manual_seed(0))["music"]
    assert batch.shape == (3, 64, 256) and 0.1 < batch.abs().max() <= 1
    assert set(task.phases) == {"generator"}
    loud = louder(batch, torch.full((3, 1, 1), 0.5), "waveform")
    torch.testing.assert_close(loud.square().mean().log(), batch.square().mean().log() + 1.0)


def test_learning_from_many_songs_takes_some_of_each():
    songs = [torch.full((2000, 4), value, dtype=torch.int16) for value in (3277, 6553, 9830)]
    assert len(spread(songs, 6000)) == 6000
    some = spread(songs, 2500)
    assert len(some) <= 2600
    assert {round(value, 1) for value in some[:, 0].tolist()} == {0.1, 0.2, 0.3}


def quick(steps: int) -> LoopConfig:
    return LoopConfig(
        steps=steps,
        batch=4,
        lr=2e-3,
        warmup=5,
        ema=0.9,
        precision="32-true",
        accelerator="cpu",
        validate_every=10**6,
        pictures_every=10**6,
    )


def arguments(out, steps=24, **flags) -> Fit:
    return Fit(
        task="all",
        data="synthetic",
        out=out,
        preset="tiny",
        mel_vae=recipes.MelVAERecipe(quick(3), recipes.MelVAEConfig(frames=64, gan_start=0)),
        motion_vae=recipes.MotionVAERecipe(quick(3), recipes.MotionVAEConfig(frames=64)),
        denoiser=recipes.DenoiserRecipe(quick(steps), recipes.DenoiserTaskConfig(frames=64, shortest=32)),
        scorer=recipes.ScorerRecipe(quick(3), recipes.ScorerTaskConfig(frames=64, shortest=32)),
        **flags,
    )


@pytest.fixture(scope="module")
def song_file(tmp_path_factory):
    """Four seconds of clicks."""
    path = tmp_path_factory.mktemp("songs") / "song.wav"
    io.write(path, Waveform(synthetic.clicks(110, 4.0, torch.Generator().manual_seed(0)), 16_000))
    return path


VARIANTS = {
    "edge": {"music": "features35", "latents": "none", "rhythm": False},
    "features": {"music": "features35"},
    "waveform": {"music": "waveform"},
    "direct": {"latents": "none"},
}


@pytest.mark.parametrize("name", list(VARIANTS))
def test_a_variant_is_trained_exported_loaded_and_dances(name, tmp_path, song_file, capsys, monkeypatch):
    for task in ("denoiser", "motion_vae"):  # figures of bodies are the same for all, and slow
        blank = torch.zeros(4, 4, 3, dtype=torch.uint8)
        monkeypatch.setattr(f"train.tasks.{task}.motion_picture", lambda *_, blank=blank, **__: blank)
    flags = VARIANTS[name]
    results = fit.main(arguments(tmp_path / "run", **flags))
    said = capsys.readouterr().out
    trained = {task: len(result["history"]) > 0 for task, result in results.items()}
    expected = {
        "mel-vae": flags.get("music") != "features35",
        "motion-vae": flags.get("latents") != "none",
        "denoiser": True,
    }
    assert trained == (expected if "music" in flags else {**expected, "scorer": True})  # only mels can be heard
    for task, was_trained in trained.items():
        assert (f"{task}: nothing to train" in said) != was_trained
    history = [step["denoiser/latents"] for step in results["denoiser"]["history"]]
    if flags.get("latents") == "none":  # latents of an autoencoder of three steps have little to be learnt
        assert sum(history[-8:]) < 0.95 * sum(history[:8])
    else:
        assert 0 < max(history) < 10

    export.main(export.Export(tmp_path / "run", tmp_path / "model"))
    model = pipeline.Model.load(tmp_path / "model", "cpu")
    assert isinstance(model.autoencoders["music"], Identity) == (not trained["mel-vae"])
    assert isinstance(model.autoencoders["motion"], Identity) == (not trained["motion-vae"])
    dance, folder = tmp_path / "a.bvh", tmp_path / "model"
    assert footlight(["dance", str(song_file), "--out", str(dance), "--model", str(folder), "--device", "cpu"]) == 0
    motion = bvh.read_motion(dance)
    assert motion.frames == 120 and bool(motion.rotations.isfinite().all())

    # A folder that lacks what its configuration has, or holds another network's weights, is refused.
    saved = checkpoint.load(tmp_path / "model")
    for broken in ({k: v for k, v in saved.tensors.items() if k != "autoencoder.motion"}, {
        **saved.tensors, "autoencoder.motion": saved.tensors["denoiser.motion"]
    }):  # fmt: skip
        checkpoint.save_folder(tmp_path / "broken", saved.config, broken)
        with pytest.raises(FootlightError, match=r"autoencoder\.motion"):
            pipeline.Model.load(tmp_path / "broken", "cpu")


def test_what_is_heard_while_dancing_is_what_was_trained_on():
    """The same song through data preparation and through the pipeline gives one condition."""
    pair = synthetic.pairs()["train"][1]
    song = Waveform(to_float(pair.wave), 16_000)
    heard = Rhythm(Beats(pair.beats, pair.tempo, pair.downbeats), pair.onset, pair.loudness)
    for flags in ({"music": "features35", "latents": "none"}, {"music": "waveform"}):
        chosen = music_side(preset("tiny"), **flags)
        mel_vae = autoencoder_of(chosen.modalities["music"]).eval()
        wanted = encoded(mel_vae, latents.music_of(pair, chosen))
        model = pipeline.Model(chosen, {"music": mel_vae}, {}, torch.device("cpu"), "test", {})
        told = pipeline.encode_song(model, song, heard).context["music"][0]
        inside = slice(0, len(wanted) - 8)  # the padding beyond the end reaches back a little through convolutions
        torch.testing.assert_close(told[inside], wanted[inside], atol=1e-4, rtol=1e-3)


def test_a_run_of_another_variant_is_not_continued(tmp_path):
    model_config(arguments(tmp_path, latents="none"), synthetic.pairs())
    assert model_config(arguments(tmp_path), synthetic.pairs()).modalities["motion"].autoencoder.kind == "identity"
    with pytest.raises(FootlightError, match="another variant"):
        model_config(arguments(tmp_path, music="waveform"), synthetic.pairs())


def test_crops_shorter_than_windows_are_pointed_out(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(fit, "fit", lambda task, loop, folder, **_: folder.mkdir() or {})
    some = arguments(tmp_path, steps=1, music="features35", latents="none")
    short = replace(some.denoiser, task=replace(some.denoiser.task, frames=40))
    fit.main(replace(some, denoiser=short))
    assert "frames 48 would make them alike" in capsys.readouterr().out
