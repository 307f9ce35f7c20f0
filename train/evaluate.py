"""The default model's figures, beside real pairs, chance and an accent-only baseline, from one run.

    python -m train.evaluate --data DATA --source DATA_DIR [--model MODEL] [--out REPORT]

Every val song with tracked beats is danced to; the same dances are also held against the beats of another song, where
nothing should be left. *Accent-only* is unrelated capture slowed on every beat as strongly as the training pairs were:
it knows nothing of the music but its beats, and shows how far beat scores can be gamed. Physics is compared with real
clips before any warp, weighted by length.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import tyro
from tqdm import tqdm

from core import pipeline
from core.audio import io
from core.audio.rhythm import analyse
from core.checkpoint import write_atomically
from core.metrics import beat, diversity, physics
from core.motion import kinematics
from core.motion.resample import at_times, resample
from core.types import Beats, Motion, Waveform
from train.data import warp
from train.data.dataset import load_pairs
from train.data.latents import style_of
from train.data.motion_sources import load as load_source
from train.data.pairs import Settings
from train.data.shards import read_index
from train.draw import contact_sheet

NOT_DANCE = ("martial",)


@dataclass(frozen=True)
class Evaluate:
    """seconds, start: the excerpt of every song.  seeds: dances of each song.  sheets: contact sheets to draw."""

    data: Path
    source: Path
    model: Path | None = None
    out: Path = Path("build/evaluation")
    seconds: float = 30.0
    start: float = 10.0
    seeds: int = 1
    variety: int = 5  # seeds of one song that are compared with each other
    fps: float = 30.0
    style_songs: int = 4  # songs that are danced to in every style that the val capture has; 0: none
    steps: int | None = None
    guidance: float | None = None
    beat_snap: float | None = None
    sheets: int = 3


@dataclass(frozen=True)
class Excerpt:
    """A stretch of a song and what is heard in it; beats count from its start."""

    name: str
    waveform: Waveform
    beats: Beats


def val_songs(args: Evaluate) -> list[Excerpt]:
    """An excerpt of every real val song that the data folder names."""
    found = []
    for entry in read_index(args.source / "index.jsonl"):
        if entry["kind"] == "audio" and entry["split"] == "val":
            start = max(0.0, min(args.start, entry["seconds"] - args.seconds))
            waveform = io.read(args.source / entry["path"], start=start, seconds=min(args.seconds, entry["seconds"]))
            found.append(Excerpt(Path(entry["path"]).stem, waveform, analyse(waveform).beats))
    return found


def val_clips(args: Evaluate) -> list[tuple[str, Motion]]:
    """Genre and motion of every usable val capture, at the evaluation's frame rate, never warped."""
    clips = []
    for entry in read_index(args.source / "index.jsonl"):
        if entry["kind"] == "motion" and entry["split"] == "val":
            source = load_source(args.source / entry["path"], entry)
            if not source.report["dropped"] and not any(word in entry["genre"] for word in NOT_DANCE):
                clips.append((entry["genre"], resample(source.motion, args.fps)))
    return clips


def options(args: Evaluate, seed: int, style: str | None = None) -> pipeline.DanceOptions:
    given = {"steps": args.steps, "guidance": args.guidance, "beat_snap": args.beat_snap, "style": style}
    chosen = pipeline.DanceOptions(seed=seed, fps=args.fps)
    return replace(chosen, **{name: value for name, value in given.items() if value is not None})


def beat_scores(motion: Motion, beats: Beats) -> dict:
    return beat.evaluate(kinematics.forward(motion.rotations, motion.root), motion.fps, beats)


def accented(motion: Motion, excerpt: Excerpt, amount: float, fps: float) -> Motion:
    """``motion`` slowed on every beat of the song, as long as it lasts, from its first frame on."""
    seconds = min(motion.seconds, excerpt.waveform.seconds)
    clock = np.arange(int(seconds * fps)) / fps
    beats = warp.extended(excerpt.beats.times.double().numpy(), seconds)
    times = torch.from_numpy(warp.accent(clock, beats, amount)).clamp(0, motion.seconds - 1 / motion.fps)
    return at_times(motion, times, fps)


def mean_physics(motions: list[Motion]) -> dict[str, float]:
    """Physics averaged over clips, weighted by their length."""
    weights = torch.tensor([motion.seconds for motion in motions])
    rows = [physics.evaluate(motion) for motion in motions]
    keys = ("foot_skating", "pfc", "jerk", "speed", "wrong_bends")
    return {key: float((torch.tensor([row[key] for row in rows]) * weights).sum() / weights.sum()) for key in keys}


def by_style(args: Evaluate, model: pipeline.Model, songs: list[Excerpt], clips: list[tuple[str, Motion]]) -> dict:
    """Physics of dances in one style, beside the val capture of that genre."""
    found = {}
    for style in model.config.styles if args.style_songs else ():
        real = [motion for genre, motion in clips if style_of(genre) == style]
        if real:
            made = [
                pipeline.run(pipeline.dance(model, song.waveform, options(args, 200, style))).motion
                for song in tqdm(songs[: args.style_songs], desc=style)
            ]
            found[style] = {"model": mean_physics(made), "real": mean_physics(real)}
    return found


def real_pairs(args: Evaluate) -> list[dict]:
    """Beat scores of the val pairs: what the model was shown, on capture it was not."""
    scores = []
    for pair in load_pairs(args.data, "val"):
        if not any(word in pair.genre for word in NOT_DANCE) and pair.motion().seconds > 8:
            scores.append(beat_scores(resample(pair.motion(), args.fps), Beats(pair.beats, pair.tempo, pair.downbeats)))
    return scores


def main(args: Evaluate) -> dict:
    """Run, print and write the report; returns it."""
    args.out.mkdir(parents=True, exist_ok=True)
    model = pipeline.Model.load(args.model)
    songs, clips = val_songs(args), val_clips(args)
    accent = Settings().accent
    dances: list[tuple[Excerpt, Motion]] = []
    for excerpt in tqdm(songs, desc="dancing"):
        for seed in range(args.seeds):
            dance = pipeline.run(pipeline.dance(model, excerpt.waveform, options(args, seed)))
            dances.append((excerpt, dance.motion))
    variety = [
        pipeline.run(pipeline.dance(model, songs[0].waveform, options(args, 100 + seed))).motion
        for seed in tqdm(range(args.variety), desc="variety")
    ]
    others = songs[1:] + songs[:1]
    swapped = {id(song): other for song, other in zip(songs, others, strict=True)}
    long_clips = [motion for _, motion in clips if motion.seconds >= 12]
    unrelated = [
        (song, accented(long_clips[i % len(long_clips)], song, accent, args.fps)) for i, song in enumerate(songs)
    ]
    beats = {
        "model": beat.average([beat_scores(motion, excerpt.beats) for excerpt, motion in dances]),
        "model, other song": beat.average([beat_scores(m, swapped[id(e)].beats) for e, m in dances]),
        f"accent-only {accent:g}": beat.average([beat_scores(motion, song.beats) for song, motion in unrelated]),
        "real pairs (val)": beat.average(real_pairs(args)),
    }
    shortest = min(motion.frames for motion in [*variety, *long_clips])
    real_variety = diversity.evaluate([motion.cut(0, shortest) for motion in long_clips[: args.variety]])
    made_variety = diversity.evaluate([motion.cut(0, shortest) for motion in variety])
    physical = {
        "model": mean_physics([motion for _, motion in dances]),
        "real (val, unwarped)": mean_physics([motion for _, motion in clips]),
    }
    report = {
        "settings": {k: str(v) if isinstance(v, Path) else v for k, v in vars(args).items()},
        "songs": [song.name for song in songs],
        "beats": beats,
        "physics": physical,
        "styles": by_style(args, model, songs, clips),
        "variety": {"model, seeds of one song": made_variety, "real clips": real_variety},
    }
    show(report)
    write_atomically(args.out / "report.json", (json.dumps(report, indent=2) + "\n").encode())
    for excerpt, motion in dances[:: max(1, len(dances) // max(1, args.sheets))][: args.sheets]:
        positions = kinematics.forward(motion.rotations, motion.root)
        hits = beat.hits(positions, motion.fps).times
        contact_sheet(positions, motion.fps, excerpt.beats.times, hits, path=args.out / f"{excerpt.name}.png")
    return report


def show(report: dict) -> None:
    """Print the tables."""
    fps = report["settings"]["fps"]
    print(f"\nBeats at {fps:g} fps: value (chance) calibrated")
    columns = (
        ("bas_bailando", "BAS (b)"),
        ("bas_aist", "BAS (a)"),
        ("bas_hits", "BAS hits"),
        ("f_hits_100ms", "F 100 ms"),
    )
    print(f"{'':24s}" + "".join(f"{title:>22s}" for _, title in columns))
    for name, row in report["beats"].items():
        cells = (row[key] for key, _ in columns)
        print(f"{name:24s}" + "".join(f"{c['value']:8.2f} ({c['chance']:.2f}) {c['calibrated']:6.2f}" for c in cells))
    print("\nPhysics, mean over seconds; x real")
    real = report["physics"]["real (val, unwarped)"]
    for name, row in report["physics"].items():
        print(f"{name:24s}" + "  ".join(f"{k} {v:.3g} ({v / max(real[k], 1e-9):.2f})" for k, v in row.items()))
    print("\nPhysics by style, x real of the same genre")
    for style, rows in report["styles"].items():
        cells = (f"{k} {v:.3g} ({v / max(rows['real'][k], 1e-9):.2f})" for k, v in rows["model"].items())
        print(f"{style:24s}" + "  ".join(cells))
    made, kept = report["variety"].values()
    print(f"\nVariety (pose distance, m): seeds {made['poses']:.3f}, real clips {kept['poses']:.3f}")


if __name__ == "__main__":
    main(tyro.cli(Evaluate, description=__doc__))
