"""Metrics of generated music: how well it fits a motion, agrees with reference music, and sounds like music.

Conventions
    Times are in seconds, (n,), strictly increasing, from the start of the clip. Music is a ``Waveform`` of any rate.
    Onsets of music are MoMu's (``beat.music_onsets``). Kinematic beats and onsets are those of
    ``core.rhythm.accents``.

Metrics
    onset F         F-measure of one-to-one matches within 70 ms (mir_eval's matching), between generated and reference
                    music or between music and motion. As in ``beat``, the chance level for shifted references and the
                    calibrated value come with it. Music with many onsets matches anything, which only the calibrated
                    value reveals.
    LORIS bins      ``beat.per_second`` of the music's onsets and those of the reference. It is what papers report, and
                    it saturates.
    tempo           whether two tempos are the same, or one is half or double the other, within 4 %. Trackers that
                    report tempos within one octave agree by chance in log2(1.04 / 0.96) = 11.5 % of cases.
    FAD             Fréchet distance of VGGish embeddings (Kilgour et al. 2019), if the user has the weights.
    FAD-latent      the same distance between music latents of this program: the mean and the deviation over time of
                    every channel, for each 0.96 s. It needs no weights and ranks systems that share a mel autoencoder.
                    It cannot measure what that autoencoder does not represent, and it is not FAD.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from core.audio.io import resample
from core.audio.mel import log_mel
from core.autoencoder.identity import Identity
from core.autoencoder.normalised import NormalisedVAE
from core.config import SignalConfig
from core.errors import FootlightError
from core.metrics import beat
from core.metrics.frames import checked, windows
from core.metrics.frechet import frechet_distance
from core.metrics.vggish import PATCH_SECONDS, VGGish
from core.rhythm.accents import kinematic_beats, kinematic_onsets
from core.types import Beats, Waveform

TEMPO_TOLERANCE = 0.04
TEMPO_CHANCE = math.log2((1 + TEMPO_TOLERANCE) / (1 - TEMPO_TOLERANCE))


def onset_f(
    estimated: Tensor,
    reference: Tensor,
    seconds: float,
    tolerance: float = beat.STRICT_TOLERANCE,
    seed: int = 0,
    shifts: int = beat.SHIFTS,
) -> dict[str, float]:
    """F-measure of onsets: {"value", "chance", "calibrated", "tolerance"}.

    estimated: (n,) onsets of the generated music, seconds.
    reference: (m,) kinematic beats, or onsets of other music, seconds. Chance is measured with these shifted.
    seconds: length of the clip.
    tolerance: seconds.
    seed: of the random shifts.
    shifts: their number.
    """
    estimated, reference = (
        beat.within(beat.validate(times, name), seconds)
        for times, name in ((estimated, "estimated onsets"), (reference, "reference onsets"))
    )
    found = beat.with_chance(
        lambda times: beat.f_measure(estimated, times, tolerance), reference, seconds, seed, shifts
    )
    return {**found, "tolerance": tolerance}


def tempo_agreement(a: float, b: float, tolerance: float = TEMPO_TOLERANCE) -> dict[str, float]:
    """Whether a tempo is the same as another, its half or its double: {"same", "half", "double", "any", "chance"}.

    The first four are 0 or 1. The last is the chance level of "any". A tempo of 0 is unknown and agrees with none.

    a: beats per minute.
    b: beats per minute, the reference.
    tolerance: relative to the reference.

    Raises FootlightError for tempos that are negative or not finite.
    """
    if not (math.isfinite(a) and math.isfinite(b)) or min(a, b) < 0:
        raise FootlightError(
            f"tempos of {a} and {b} beats per minute were given; expected positive numbers, 0 if unknown"
        )

    def near(wanted: float) -> float:
        return float(a > 0 and b > 0 and abs(a - wanted) <= tolerance * wanted)

    found = {"same": near(b), "half": near(b / 2), "double": near(2 * b)}
    return {**found, "any": max(found.values()), "chance": math.log2((1 + tolerance) / (1 - tolerance))}


def evaluate(
    music: Waveform,
    positions: Tensor,
    fps: float,
    beats: Beats | None = None,
    reference: Waveform | None = None,
    wanted_tempo: float = 0.0,
    seed: int = 0,
    grid: Beats | None = None,
) -> dict:
    """All metrics of one piece of music generated for a motion. ``beat.average`` takes a list of these.

    music: the generated music.
    positions: (t, j, 3) of the motion, metres.
    fps: its frames per second.
    beats: tracked in the music; adds metrics of these.
    reference: the music to which the motion was danced; adds comparisons with it.
    wanted_tempo: tempo of the dance, beats per minute; with ``beats``, adds the agreement of tempos. 0 is unknown.
    seed: of the random shifts that measure chance.
    grid: beats of the reference music; adds comparisons with them.
    """
    positions = checked(positions, fps)
    seconds = min(positions.shape[0] / fps, music.seconds)
    heard = beat.music_onsets(music)
    result: dict = {
        "fps": fps,
        "seconds": seconds,
        "onsets": len(beat.within(heard, seconds)),
        "f_hits": onset_f(heard, kinematic_beats(positions, fps).times, seconds, seed=seed),
        "f_onsets": onset_f(heard, kinematic_onsets(positions, fps).times, seconds, seed=seed),
    }
    if beats is not None:
        result["f_beats_hits"] = onset_f(beats.times, kinematic_beats(positions, fps).times, seconds, seed=seed)
        if wanted_tempo > 0:
            result["tempo"] = tempo_agreement(beats.tempo, wanted_tempo)
    if grid is not None:
        result["f_grid"] = onset_f(heard, grid.times, seconds, seed=seed)
        if beats is not None:
            result["f_beats_grid"] = onset_f(beats.times, grid.times, seconds, seed=seed)
    if reference is not None:
        both = min(seconds, reference.seconds)
        true = beat.within(beat.music_onsets(reference), both)
        result["f_reference"] = onset_f(heard, true, both, seed=seed)
        binned = beat.coverage(lambda times: beat.per_second(heard, times, both), true, both, seed)
        result["loris_reference"] = {**binned, "saturated": True}
    return result


def fad(made: list[Waveform], real: list[Waveform], vggish: VGGish) -> dict[str, float]:
    """Fréchet audio distance: {"fad", "patches", "patches_real"}. Lower is better.

    With fewer than several hundred patches, the covariance of 128 numbers is estimated poorly and the distance is too
    large. Compare sets of similar size.

    made: generated music.
    real: real music.
    vggish: the embedding; ``core.metrics.vggish.load`` reads it from a file.

    Raises FootlightError when either set has fewer than two patches of 0.96 s.
    """
    ours, theirs = (torch.cat([vggish.embed(music) for music in some]) if some else None for some in (made, real))
    return _distance("fad", ours, theirs)


def fad_latent(ours: Tensor, theirs: Tensor) -> dict[str, float]:
    """FAD-latent, which is not FAD: {"fad_latent", "patches", "patches_real"}. Lower is better.

    ours: (n, 2z) ``latent_patches`` of generated music.
    theirs: (m, 2z) of real music.

    Raises FootlightError when either set has fewer than two patches of 0.96 s.
    """
    return _distance("fad_latent", ours, theirs)


def latent_patches(pieces: Sequence[Waveform | Tensor], vae: NormalisedVAE | Identity, signal: SignalConfig) -> Tensor:
    """Mean and deviation (n, 2z) of the latents of all whole patches of 0.96 s, which ``fad_latent`` compares.

    pieces: music, as waveforms or as log-mels (t, m) of ``core.audio.mel.log_mel``.
    vae: the music autoencoder.
    signal: of its mels.
    """
    found = [_latent_patches(music, vae, signal) for music in pieces]
    return torch.cat(found) if found else torch.zeros(0, 2 * vae.config.latent_channels, dtype=torch.float64)


def _distance(name: str, ours: Tensor | None, theirs: Tensor | None) -> dict[str, float]:
    if ours is None or theirs is None or min(len(ours), len(theirs)) < 2:
        raise FootlightError(
            f"a Fréchet distance of music needs two patches of {PATCH_SECONDS:g} s on either side; give more or longer "
            f"music"
        )
    return {name: frechet_distance(ours, theirs), "patches": len(ours), "patches_real": len(theirs)}


@torch.no_grad()
def _latent_patches(music: Waveform | Tensor, vae: NormalisedVAE | Identity, signal: SignalConfig) -> Tensor:
    """``latent_patches`` (n, 2z) of one piece of music."""
    if isinstance(music, Waveform):
        music = log_mel(resample(music, signal.audio_rate).samples, signal)
    if music.ndim != 2 or music.shape[1] != vae.config.channels:
        raise FootlightError(
            f"expected log-mels (t, {vae.config.channels}), got {tuple(music.shape)}; make them with "
            f"core.audio.mel.log_mel"
        )
    length = round(PATCH_SECONDS * signal.mel_fps / vae.config.stride)
    latents = vae.encode_long(music.float()[None].to(vae.std.device))[0].cpu().double()
    parts = windows(latents, length, length)
    if not parts:
        return torch.zeros(0, 2 * latents.shape[1], dtype=torch.float64)
    stacked = torch.stack(parts)
    return torch.cat((stacked.mean(dim=1), stacked.std(dim=1, correction=0)), dim=1)
