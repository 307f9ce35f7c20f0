"""A user's own capture: ``NAME.bvh`` beside ``NAME.wav``, recorded together, so nothing is chosen or warped."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

from core.audio import io
from core.config import SignalConfig
from core.types import FootlightError
from train.data.jobs import Job, Records
from train.data.matching import SHORTEST_SECONDS
from train.data.motion_sources import load
from train.data.pairs import index_line, tensors
from train.data.shards import file_digest, key, slug
from train.data.songs import RATE, cut, heard, stored, with_waveforms

AUDIO = (".wav", ".flac", ".ogg", ".opus", ".mp3")
VAL_ONE_IN = 10
SIGNAL = SignalConfig()


def user_jobs(folder: Path, out: Path, waveforms: bool = False) -> tuple[list[Job], list[dict]]:
    """A job for every BVH file under ``folder`` that has its music, and ``{"source", "reason"}`` of the others.

    waveforms: whether the music's samples are kept.

    A folder within ``folder`` names the genre of what is in it. Raises FootlightError where there is nothing to use.
    """
    if not folder.is_dir():
        raise FootlightError(f"{folder}: no such folder; --pairs takes a folder of NAME.bvh beside NAME.wav")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    captures = [path for path in files if path.suffix.lower() == ".bvh"]
    music = {suffix: {p.with_suffix(""): p for p in files if p.suffix.lower() == suffix} for suffix in AUDIO}
    jobs, dropped = [], []
    for path in captures:
        song = next((found[path.with_suffix("")] for found in music.values() if path.with_suffix("") in found), None)
        name = str(path.relative_to(folder).with_suffix(""))
        if song is None:
            wanted = ", ".join(path.stem + suffix for suffix in AUDIO)
            dropped.append({"source": str(path), "reason": f"no music beside it (looked for {wanted})"})
            continue
        genre = path.parent.name if path.parent != folder else "own"
        split = split_of(name)
        shard = out / f"pairs-{split}-{record_name(name)}.safetensors"
        made_from = with_waveforms(key("own", file_digest(path), file_digest(song), name, genre), waveforms)
        jobs.append(Job(str(path), shard, made_from, partial(user_pair, path, song, name, genre, split, waveforms)))
    for path in files:
        if path.suffix.lower() in AUDIO and path.with_suffix("") not in {p.with_suffix("") for p in captures}:
            dropped.append({"source": str(path), "reason": f"no motion beside it (looked for {path.stem}.bvh)"})
    if not captures:
        raise FootlightError(f"{folder}: holds no .bvh file; --pairs takes a folder of NAME.bvh beside NAME.wav")
    return jobs, dropped


def record_name(name: str) -> str:
    """A name for shard and record, different for every capture ("a/b" and "a_b" too)."""
    return f"own-{slug(name)}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def split_of(name: str) -> str:
    """``val`` for one capture in ten, by its name alone, so that it never changes sides."""
    return "val" if hashlib.sha256(name.encode()).digest()[0] % VAL_ONE_IN == 0 else "train"


def user_pair(
    motion_path: Path, song_path: Path, name: str, genre: str, split: str, waveforms: bool, shard: str
) -> Records:
    """The record of one capture and its music, both cut to the shorter. Raises FootlightError for unusable files."""
    source = load(motion_path)
    if source.report["dropped"]:
        raise FootlightError(source.report["dropped"])
    motion = source.motion
    parts, tempo = heard(io.read(song_path, RATE))
    frames = min(motion.frames, len(parts["mel"]) // 2)
    if frames / SIGNAL.motion_fps < SHORTEST_SECONDS:
        raise FootlightError(
            f"motion and music share only {frames / SIGNAL.motion_fps:.1f} s; "
            f"at least {SHORTEST_SECONDS:g} s are needed"
        )
    motion = motion.cut(0, frames)
    section = stored(cut(parts, 0.0, frames / SIGNAL.motion_fps), waveforms)
    line = index_line(
        record_name(name),
        shard,
        split,
        name,
        song_path.name,
        genre,
        f"own-{name}",
        tempo,
        frames,
        exact=False,
        error_cm=source.report["error_cm"],
    )
    return [(line, {**section, **tensors(motion)})]
