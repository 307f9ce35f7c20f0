"""Makes pairs: every motion with music in each tempo band, warped in time onto its beats.

A motion whose beats are known gets music at its own tempo instead, and is not warped (``unwarped``).
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.errors import FootlightError
from core.files import file_digest
from core.metrics.beat import alignment, bailando_beats, with_chance
from core.motion.contact import label
from core.motion.kinematics import forward
from core.motion.resample import at_times
from core.types import Beats, Motion, Waveform
from train.data.dataset import SongRecord, load_song_records, motion_tensors
from train.data.jobs import Job, Records
from train.data.motion.sources import PINNED, Source, load
from train.data.music import arrange
from train.data.music.songs import cut, stored, with_waveforms
from train.data.pairing import unwarped, warp
from train.data.pairing.matching import Body, Section, body_of, rendered_section, song_levels, song_section
from train.data.rates import MEL_FPS, MOTION_FPS
from train.data.shards import key, slug

ANCHOR_SHARE = 0.9  # of the limit bounds the rate between matched beats; the rest lets the clock bend between them


@dataclass(frozen=True)
class Settings:
    """How pairs are made."""

    bands: tuple[tuple[float, float], ...] = ((74.0, 94.0), (94.0, 118.0), (118.0, 148.0))  # beats a minute
    songs_per_band: int = 1  # songs or arrangements for each motion in a tempo band
    rendered_share: float = 0.6  # of them are arrangements with exact beats, the rest real songs
    limit: float = warp.LIMIT  # of the warp: the motion's rate stays within 1 +- this
    beat_slowing: float = 0.25  # how strongly the body slows on every beat, on top of the warp
    tempo_spread: float = 0.1  # a motion whose beats are known is also played faster or slower by up to this share


def fit(body: Body, section: Section, settings: Settings) -> tuple[dict, dict[str, Tensor]]:
    """Warp the motion onto the section's beats. Returns measurements for the index line, and the record's tensors.

    The source is sampled once, through splines, at the times that slowing and clock give together.
    """
    motion, fps = body.motion, MOTION_FPS
    length = len(section.parts["mel"]) / MEL_FPS
    beats = warp.extended(section.beats, length)
    grid = warp.beat_grid(beats).until(length)
    found = warp.align(body.kinematic_beats, body.weights, grid, limit=ANCHOR_SHARE * settings.limit)
    clock = warp.Clock.through(found.grid, found.kinematic_beats, length, limit=settings.limit)
    steady = warp.Clock.steady(length)
    made, played = _sampled(motion, clock, beats, settings.beat_slowing, length)
    parts = {**cut(section.parts, 0.0, made.frames / fps), **motion_tensors(made)}
    rates = clock.rate(np.arange(int(len(played) / fps / clock.step) + 1) * clock.step)
    with_slowing = np.diff(played) * fps
    miss = np.abs(clock(found.grid) - found.kinematic_beats) * 1e3 if len(found.kinematic_beats) else np.zeros(1)
    variants = {
        "unwarped": _sampled(motion, steady, beats, 0.0, length)[0],
        "slowing_only": _sampled(motion, steady, beats, settings.beat_slowing, length)[0],
        "warped": _sampled(motion, clock, beats, 0.0, length)[0],
        "final": made,
    }
    measured = {
        "hits": len(body.kinematic_beats),
        "matched": len(found.kinematic_beats),
        "on_beat": found.on_beat,
        "rate": [round(float(rates.min()), 4), round(float(rates.max()), 4)],
        "rate_with_accent": [round(float(with_slowing.min()), 4), round(float(with_slowing.max()), 4)],
        "miss_ms": [round(float(np.median(miss)), 1), round(float(miss.max()), 1)],
        "bas": {name: round(beat_alignment(variant, parts["beats"]), 4) for name, variant in variants.items()},
    }
    return measured, parts


def _sampled(
    motion: Motion, clock: warp.Clock, beats: np.ndarray, beat_slowing: float, length: float
) -> tuple[Motion, np.ndarray]:
    """The motion played by clock and slowing for at most ``length`` seconds, with new contact labels.

    Returns it and the motion seconds (t,) of its frames.
    """
    fps = MOTION_FPS
    last_frame = (motion.frames - 1) / motion.fps
    played = warp.play(clock, beats, beat_slowing, last_frame, fps)[: int(length * fps + 1e-6)]
    made = at_times(motion, torch.from_numpy(np.maximum(played, 0.0)), fps)
    return replace(made, contacts=label(forward(made.rotations, made.root), fps)), played


def beat_alignment(motion: Motion, beats: Tensor) -> float:
    """Calibrated BAS (b) of a motion against beats (n,) in seconds: 0 is chance, 1 is perfect."""
    kinematic = bailando_beats(forward(motion.rotations, motion.root), motion.fps)
    inside = beats[beats < motion.seconds].double()
    return with_chance(lambda times: alignment(times, kinematic), inside, motion.seconds)["calibrated"]


def index_line(
    *,
    name: str,
    shard: str,
    split: str,
    motion: str,
    music: str,
    genre: str,
    group: str,
    tempo: float,
    frames: int,
    exact: bool,
    **more: object,
) -> dict:
    """A pair's line in the index.

    exact: whether the beats are known rather than tracked.
    more: further fields.
    """
    return {
        "id": name,
        "shard": shard,
        "split": split,
        "motion": motion,
        "music": music,
        "genre": genre,
        "group": group,
        "tempo": round(tempo, 3),
        "frames": frames,
        "seconds": round(frames / MOTION_FPS, 3),
        "exact": exact,
        **more,
    }


def pair_jobs(
    data: Path, out: Path, entries: list[dict], songs_key: str, settings: Settings, seed: int, waveforms: bool = False
) -> list[Job]:
    """A job for every motion of ``index.jsonl``.

    songs_key: a digest of the songs that it may be paired with.
    waveforms: keep the music's samples. The songs must have been prepared with theirs.
    """
    made = []
    for entry in entries:
        name, path = Path(entry["path"]).stem, data / entry["path"]
        shard = out / f"pairs-{entry['split']}-{slug(name)}.safetensors"
        made_from = key(file_digest(path), entry, _dependencies(entry, settings), seed, songs_key)
        made_from = key(made_from, "flights") if entry.get("root") == PINNED else made_from
        make = partial(motion_pairs, data, out, entry, settings, seed, waveforms)
        made.append(Job(entry["path"], shard, with_waveforms(made_from, waveforms), make))
    return made


def has_known_beats(entry: dict) -> bool:
    """Whether an entry of ``index.jsonl`` says that beats lie at k * 60 / bpm from its first frame, four to a bar."""
    return bool(entry.get("beats_from_zero") and entry.get("bpm"))


def _dependencies(entry: dict, settings: Settings) -> dict:
    """The settings that the pairs of a motion depend on."""
    unused = ("rendered_share", "limit") if has_known_beats(entry) else ("tempo_spread",)
    return {name: value for name, value in asdict(settings).items() if name not in unused}


def motion_pairs(
    data: Path, out: Path, entry: dict, settings: Settings, seed: int, waveforms: bool, shard: str
) -> Records:
    """The records of one motion, ``settings.songs_per_band`` for each tempo band.

    Raises FootlightError for broken capture, and for capture that the index calls ``static``.
    """
    split, name = entry["split"], Path(entry["path"]).stem
    if entry.get("static"):
        raise FootlightError("hardly moves")
    source = load(data / entry["path"], entry)
    if source.report["dropped"]:
        raise FootlightError(source.report["dropped"])
    if has_known_beats(entry):
        return _known_pairs(data, entry, source, settings, seed, waveforms, shard)
    body = body_of(source.motion)
    songs, levels = _songs(out, split, waveforms)
    made: Records = []
    reason = "none is rendered"
    for number, band in enumerate(settings.bands):
        for slot in range(settings.songs_per_band):
            draw = np.random.default_rng(_number(name, number, slot, seed))
            section = None
            if draw.random() >= settings.rendered_share:
                section = song_section(body, band, songs, levels, draw)
            if section is None:
                try:
                    section = rendered_section(body, band, partial(_arranged, data, split), draw)
                except FootlightError as error:  # no MIDI: a band without a song that fits is left out
                    reason = str(error)
                    continue
            measured, parts = fit(body, section, settings)
            line = index_line(
                name=f"{slug(name)}-{number}{slot}",
                shard=shard,
                split=split,
                motion=name,
                music=section.music,
                genre=entry["genre"],
                group=entry.get("group") or name,
                tempo=section.tempo,
                frames=len(parts["root"]),
                exact=section.exact,
                band=list(band),
                error_cm=source.report["error_cm"],
                **measured,
            )
            made.append((line, stored(parts, waveforms)))
    if not made:
        raise FootlightError(f"no music fits: no song of a fitting tempo is long enough, and {reason}")
    return made


def _known_pairs(
    data: Path, entry: dict, source: Source, settings: Settings, seed: int, waveforms: bool, shard: str
) -> Records:
    """The records of a motion whose beats are known, as many as one with unknown beats has. None is warped.

    The first plays at its own tempo, the others a little faster or slower.
    """
    split, name, made = entry["split"], Path(entry["path"]).stem, []
    for number in range(len(settings.bands) * settings.songs_per_band):
        draw = np.random.default_rng(_number(name, "known", number, seed))
        rate = 1 + settings.tempo_spread * draw.uniform(-1, 1) if number else 1.0
        arranged = partial(_arranged, data, split, drums=unwarped.drums_for(entry["genre"]))
        parts = unwarped.pair(source.motion, float(entry["bpm"]), rate, arranged, draw, settings.beat_slowing)
        line = index_line(
            name=f"{slug(name)}-{number}",
            shard=shard,
            split=split,
            motion=name,
            music=parts.music,
            genre=entry["genre"],
            group=entry.get("group") or name,
            tempo=parts.tempo,
            frames=len(parts.tensors["root"]),
            exact=True,
            rate=round(rate, 4),
            root=entry.get("root", "original"),
            error_cm=source.report["error_cm"],
            bas={"final": round(beat_alignment(parts.motion, parts.tensors["beats"]), 4)},
        )
        made.append((line, stored(parts.tensors, waveforms)))
    return made


def _number(*parts: object) -> int:
    """A seed that differs with every part and is the same on every machine."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "little")


def _arranged(
    data: Path, split: str, bpm: float, seconds: float, draw: np.random.Generator, drums: tuple[str, ...] = ()
) -> tuple[str, Waveform, Beats]:
    """Music as ``matching.Arrange`` renders it, with its name."""
    seed = int(draw.integers(1 << 31))
    song, take = arrange.choose(data, split, bpm, seed, drums)
    waveform, beats = arrange.arrange(data, song, take, bpm, seconds, seed)
    return f"pop909-{song}+groove-{take}", waveform, beats


@lru_cache(maxsize=2)
def _songs(out: Path, split: str, waveforms: bool) -> tuple[list[SongRecord], dict[str, float]]:
    """The recordings of a split and their levels, read once in each process."""
    songs = [song for song in load_song_records(out, split, waveforms) if not song.exact]
    return songs, song_levels(songs)
