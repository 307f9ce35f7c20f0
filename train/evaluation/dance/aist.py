"""MoMu-Diffusion's tables 5 and 6 on held-out takes of AIST++, in the protocol of the paper as far as it can be had.

Systems dance to the music of each take for as long as it lasts, once as they like and once in the style of the take,
and the capture of the takes stands beside them. Table 5 is computed of 14 joints in 2-D, as the paper's poses are, and
of the whole body in 3-D. The takes and their music are val pairs. ``notes.AIST_5`` says what differs from the paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from core.audio.representation import to_float
from core.errors import FootlightError
from core.metrics import beat, embedding
from core.metrics.classifier import Classifier, cut
from core.metrics.frames import at_rate
from core.motion import features
from core.motion.layouts import OPENPOSE14
from core.motion.resample import resample
from core.rhythm.accents import kinematic_beats, kinematic_onsets
from core.types import Motion, Waveform
from train.data.dataset import load_pairs
from train.data.latents import style_of
from train.data.rates import AUDIO_RATE
from train.evaluation import statistics
from train.evaluation.cache import Made
from train.evaluation.dance.material import Capture, Excerpt
from train.evaluation.dance.measures import positions_of
from train.evaluation.dance.systems import System
from train.evaluation.performance import Performance

FPS = 60.0  # of the paper's poses
CAPTURE = "motion capture"
_GROUP = "aist"  # what the groups and genres of AIST++ begin with
_FLAT = "openpose14-2d"


@dataclass(frozen=True, eq=False)
class Take:
    """A held-out take.

    song: its music and known beats.
    motion: its capture.
    """

    song: Excerpt
    motion: Motion
    genre: str

    @property
    def style(self) -> str:
        return style_of(self.genre)


def takes(data: Path, fps: float, most: int | None = None) -> list[Take]:
    """The held-out takes of AIST++, each with the first music that it was paired with, which has its own tempo.

    data: prepared with waveforms; see docs/evaluation.md.
    fps: of the capture.
    most: how many at most.

    Raises FootlightError for data without waveforms, and without such takes.
    """
    found = {}
    for pair in load_pairs(data, "val", waveforms=True):
        if pair.group.startswith(_GROUP):
            found.setdefault(pair.motion_name, pair)
    if not found:
        raise FootlightError(f"{data}: holds no val take of AIST++; prepare some, with --waveforms")
    return [
        Take(
            Excerpt(
                name,
                Waveform(to_float(pair.wave), AUDIO_RATE),
                pair.heard(),
                number,
            ),
            resample(pair.motion(), fps),
            pair.genre,
        )
        for number, (name, pair) in enumerate(list(found.items())[:most])
        if pair.wave is not None
    ]


def report(
    asked: Sequence[System],
    held_out: list[Take],
    training: Sequence[Capture],
    classifier: Classifier | None,
    seeds: int,
    stage: Performance,
) -> dict:
    """``takes``, ``seconds`` and ``rows``, the measures of ``row`` by name.

    asked: systems. One that has the style of a take dances it in that style too, in a row of its own.
    training: capture, of which that of AIST++ is the reference of FID.
    """
    real = [take.motion for take in held_out]
    training = [clip for clip in training if clip.genre.startswith(_GROUP) and clip.split == "train"]
    reference = [clip.motion for clip in training]
    rows = {CAPTURE: row([[motion] for motion in real], held_out, reference, classifier)}
    for system in asked:
        rows[system.name] = row(danced(system, held_out, seeds, stage), held_out, reference, classifier)
        if system.in_style is not None and any(take.style in system.styles for take in held_out):
            made = danced(system, held_out, seeds, stage, styled=True)
            rows[f"{system.name}, in the take's style"] = row(made, held_out, reference, classifier)
    seconds = sum(take.song.seconds for take in held_out)
    return {"takes": len(held_out), "seconds": seconds, "rows": {name: found for name, found in rows.items() if found}}


def danced(
    system: System, held_out: list[Take], seeds: int, stage: Performance, styled: bool = False
) -> list[list[Made]]:
    """Dances to each take's music, one for each seed; of those that failed none.

    styled: in the style of the take, where the system has it.
    """
    found = []
    for take in stage.cache.progress(held_out, f"{system.name}, AIST++"):
        dancer = system
        if styled and system.in_style is not None and take.style in system.styles:
            dancer = system.in_style(take.style)
        made = [stage.dance(dancer, take.song, seed) for seed in range(seeds)]
        found.append([dance for dance in made if dance is not None])
    return found


def row(made: list[list[Made]], held_out: list[Take], reference: list[Motion], classifier: Classifier | None) -> dict:
    """``flat`` and ``solid``, the beats of table 5, and ``embedding``, the quality of table 6.

    made: the dances to each take.
    """
    known = [(take, dance) for take, dances in zip(held_out, made, strict=True) for dance in dances]
    found: dict = {}
    for name, view in (("flat", from_the_front), ("solid", in_space)):
        seen = [(take, places) for take, dance in known if (places := view(dance)) is not None]
        if seen:
            found[name] = beats_of(seen)
    bodies = [(take, dance) for take, dance in known if isinstance(dance, Motion)]
    if bodies and classifier is not None:
        try:
            found["embedding"] = _quality(bodies, reference, classifier)
        except FootlightError as error:
            found["left_out"] = str(error)
    return found


def from_the_front(made: Made) -> Tensor:
    """The 14 joints of the paper (t, 14, 2) at ``FPS``, as a distant camera before the first frame sees them."""
    if isinstance(made, Motion):
        places = features.encode(made, _FLAT).unflatten(-1, (len(OPENPOSE14), 2))
    else:
        places = made.positions[..., :2]
    return at_rate(places, made.fps, FPS)


def in_space(made: Made) -> Tensor | None:
    """Joint positions (t, j, 3) at ``FPS``; None for a flat dance."""
    places = positions_of(made)
    return at_rate(places, made.fps, FPS) if places.shape[-1] == 3 else None


def beats_of(seen: list[tuple[Take, Tensor]]) -> dict[str, dict]:
    """``onsets``, those of the movement against the sound's, and ``hits``, arrivals against the known beats.

    Each has BCS, CSD, BHS, HSD and F1 with their chance levels, as ``core.metrics.beat.average`` gives them, and
    ``f1_interval`` over takes.
    """
    clips = []
    for take, places in seen:
        seconds = len(places) / FPS
        onset, hit = (
            beat.within(find(places, FPS).times.double(), seconds) for find in (kinematic_onsets, kinematic_beats)
        )
        sound, beats = (beat.within(times.double(), seconds) for times in (take.song.onsets, take.song.beats.times))
        clips.append(
            {
                "fps": FPS,
                "onsets": beat.coverage(lambda times, found=onset: beat.tolerant(found, times), sound, seconds),
                "hits": beat.coverage(lambda times, found=hit: beat.tolerant(found, times), beats, seconds),
            }
        )
    names = [take.song.name for take, _ in seen]
    average = beat.average(clips)
    return {
        kind: average[kind] | {"f1_interval": asdict(_f1([clip[kind] for clip in clips], names))}
        for kind in ("onsets", "hits")
    }


def _f1(clips: list[dict], names: list[str]) -> statistics.Interval:
    """F1 of the means of BCS and BHS, with an interval over takes."""
    takes = list(dict.fromkeys(names))
    table = np.array([
        np.mean([(clip["bcs"], clip["bhs"]) for clip, name in zip(clips, names, strict=True) if name == take], axis=0)
        for take in takes
    ])  # fmt: skip
    means = table[statistics.sets(len(takes))].mean(axis=1)
    f1 = 2 * means.prod(axis=1) / np.maximum(means.sum(axis=1), 1e-12)
    return statistics.around(f1, len(takes))


def _quality(bodies: list[tuple[Take, Motion]], reference: list[Motion], classifier: Classifier) -> dict[str, float]:
    """FID and diversity against training capture, and KLD from the take that each dance belongs to, and from others.

    Takes that are shorter than a window, and dances to them, do not count.
    """
    bodies = [(take, dance) for take, dance in bodies if len(cut(take.motion))]
    made, captured = [dance for _, dance in bodies], {take.song.name: take.motion for take, _ in bodies}
    found = embedding.evaluate(made, reference, classifier)
    own = embedding.evaluate(made, [take.motion for take, _ in bodies], classifier, paired=True)["mean_kld"]
    whole = embedding.evaluate(made, list(captured.values()), classifier)["mean_kld"]
    count = len(captured)  # one in so many pairs of a take and a dance is of those that belong together
    names = ("fid", "diversity_inter", "diversity_inter_real", "windows", "accuracy", "accuracy_chance")
    kept = {name: found[name] for name in (*names, "accuracy_takes")}
    return kept | {"mean_kld": own, "mean_kld_others": (count * whole - own) / (count - 1)}
