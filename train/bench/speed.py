"""Speed, as ratios in one run: ``python -m train.bench [--model FOLDER]``.

Every row is the median of several runs on this machine. Absolute seconds differ between machines and hours. Compare
ratios to the reference, which is timed in between. A row of 180 s also shows how often it takes the time of its 30 s: 6
is linear.

The reference is a network of the size that EDGE published, see ``train.tools.bench_reference``. It calculates with the
precision of the model: bfloat16 where the processor multiplies it, and float32 beside dances with AVX2 alone.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from core import pipeline
from core.audio import io
from core.audio.mel import log_mel
from core.formats import bvh
from core.formats.motion import read_motion
from core.formats.music import write_music
from core.pipeline.model import native_half
from core.pipeline.score import vocode
from core.protocol import QUALITIES, DanceRequest
from core.show import file as show_file
from train.bench.edits import HEARING, KINDS, WHOLE, edit_seconds
from train.bench.processes import (
    REFERENCE,
    Worker,
    engine_memory,
    engine_start,
    medians_of,
    peak_memory,
    run_cold,
    seconds_in_turn,
    workers,
    write_action_seconds,
)
from train.bench.results import write_results
from train.bench.timing import medians_in_turn
from train.demo.song import write_demo_song
from train.tools.bench_dance import stages_of
from train.tools.bench_reference import STEPS, Reference, run_reference

SHORT = 30  # seconds of song, motion or duet
LONG = 180
REQUESTS = 50  # to one engine, after which its memory is weighed
SAMPLING = "Dancing"
"""The stage of a dance in which its sampler walks."""
COMPOSING = "Composing"
"""The same of music."""


@dataclass(frozen=True)
class Bench:
    """Time every operation of a model."""

    runs: int = 5  # how often each row is timed
    reference_runs: int = 3  # how often the slow reference is timed
    reference_steps: int = 5  # of its 50 steps that are timed; each takes the same time
    model: Path | None = None  # a model folder; the embedded model otherwise
    out: Path | None = None  # also write the table as JSON
    threads: int = 2
    against: str | None = None  # a commit: a dance by its code and its default model is timed beside ours


def median_seconds(function: Callable[[], object], runs: int) -> float:
    """The median wall-clock time of ``runs`` calls."""
    return medians_in_turn([function], runs)[0]


def stage_seconds(make: Callable[[], object], runs: int) -> dict[str, float]:
    """The median seconds of every stage that ``make`` reports, in their order; what it does outside of one is ""."""
    return medians_of(stages_of(make) for _ in range(runs))


class Work:
    """What is timed. Each method is one operation from file to file with a loaded model."""

    def __init__(self, folder: Path, model: Path | None, device: str = "auto") -> None:
        self.model, self.given = pipeline.Model.load(model, device), ["--model", str(model)] if model else []
        self.signal, self.folder, self.song = self.model.config.signal, folder, folder / "song.wav"
        write_demo_song(self.song, seconds=LONG)
        samples = io.read(self.song, self.signal.audio_rate, seconds=SHORT).samples
        self.mel = log_mel(samples, self.signal)[None].to(self.model.device)

    def motion(self, seconds: int) -> Path:
        """The dance that ``dance`` has made."""
        return self.folder / f"dance{seconds}.bvh"

    def dance(self, seconds: int, quality: str = "normal") -> None:
        song = io.read(self.song, seconds=seconds)
        made = pipeline.generate_dance(self.model, song, pipeline.DanceOptions(quality=quality))
        bvh.write(self.motion(seconds), made.motion)

    def preview(self, seconds: int, whole: bool) -> bool:
        """The first seconds of a dance, and the whole one after them if that is wanted. Returns whether the song is
        long enough."""
        heard, options = pipeline.hear_song(self.model, io.read(self.song, seconds=seconds)), pipeline.DanceOptions()
        begun = pipeline.begin_dance(self.model, heard, options)
        if begun is None:
            return False
        bvh.write(self.folder / "preview.bvh", begun.preview.motion)
        if whole:
            made = pipeline.dance_to(self.model, heard, options, begun.memory)
            bvh.write(self.folder / "after.bvh", made.motion)
        return True

    def score(self, seconds: int, quality: str = "normal") -> None:
        options = pipeline.ScoreOptions(quality=quality)
        made = pipeline.score_motion(self.model, read_motion(self.motion(seconds)), options)
        write_music(self.folder / "score.wav", made, self.signal)

    def duet(self, seconds: int) -> None:
        made = pipeline.generate_duet(self.model, pipeline.DuetOptions(seconds=seconds))
        bvh.write(self.folder / "duet.bvh", made.dance.motion)
        write_music(self.folder / "duet.wav", made.music, self.signal)

    def light(self, seconds: int) -> None:
        made = pipeline.light_song(io.read(self.song, seconds=seconds))
        (self.folder / "light.json").write_bytes(show_file.encoded(made.show))

    def lit_dance(self, seconds: int) -> None:
        song, options = io.read(self.song, seconds=seconds), pipeline.TheatreOptions()
        made = pipeline.generate_theatre(self.model, song, options)
        bvh.write(self.folder / "lit.bvh", made.dance.motion)
        (self.folder / "lit.json").write_bytes(show_file.encoded(made.light.show))

    @torch.inference_mode()
    def vocode(self) -> None:
        vocode(self.model, self.mel)

    def arguments(self, command: str, seconds: int) -> list[str]:
        """The same operation for the command line.

        command: dance, score or duet.
        """
        out = {name: str(self.folder / f"cold.{name}") for name in ("bvh", "wav")}
        own = {
            "dance": [str(self.song), "--seconds", str(seconds), "--out", out["bvh"]],
            "score": [str(self.motion(seconds)), "--out", out["wav"]],
            "duet": ["--seconds", str(seconds), "--out-motion", out["bvh"], "--out-music", out["wav"]],
        }[command]
        return [command, *own, "--json", *self.given]


def row(what: str, median: float, ratio: float | None = None, growth: float | None = None) -> dict:
    """A row of the table.

    ratio: to a warm dance of ``SHORT``.
    growth: to ``SHORT`` of the same operation.
    """
    return {"what": what, "median": median, "ratio": ratio, "growth": growth}


def warm_rows(work: Work, runs: int) -> list[dict]:
    """Every operation of the model, loaded and run before, all in turn. The dance of ``SHORT`` comes first."""
    timed = {"song to BVH": work.dance}
    if "music" in work.model.denoisers:
        timed |= {"of music from motion": work.score, "duet": work.duet}
    timed |= {"song to light by rules": work.light}
    if work.model.config.theatre is not None:
        timed |= {"song to dance and light": work.lit_dance}
    work.dance(LONG)  # what is scored
    for make in timed.values():
        make(SHORT)
    jobs: list[Callable[[], object]] = [
        lambda make=make, seconds=seconds: make(seconds) for make in timed.values() for seconds in (SHORT, LONG)
    ]
    jobs += [] if work.model.vocoder is None else [work.vocode]
    taken = medians_in_turn(jobs, runs)
    rows = []
    for name, short, long in zip(timed, taken[::2], taken[1::2], strict=False):
        rows.append(row(f"{SHORT} s {name}, warm", short, short / taken[0]))
        rows.append(row(f"{LONG} s {name}, warm", long, long / taken[0], long / short))
    if work.model.vocoder is not None:
        rows.append(row(f"vocoder alone: {SHORT} s of mel to sound, x real time", SHORT / taken[-1]))
    return rows


def preview_rows(work: Work, runs: int) -> list[dict]:
    """How soon the first seconds of a dance of ``LONG`` are there, and what they cost; as shares of the dance."""
    if not work.preview(LONG, whole=False):
        return []
    jobs: list[Callable[[], object]] = [partial(work.dance, LONG)]
    jobs += [partial(work.preview, LONG, whole) for whole in (False, True)]
    whole, first, both = medians_in_turn(jobs, runs)
    return [
        row(f"{LONG} s song to the first seconds of its dance", first, first / whole),
        row(f"{LONG} s song to these, and then to the whole dance", both, both / whole),
    ]


NAMES = {"": "reading, mastering, writing"}
"""What is done outside of stages."""


def stage_rows(work: Work, runs: int) -> list[dict]:
    """Where the time of ``SHORT`` goes, warm; all of a dance but its sampling is the floor."""
    stages = stage_seconds(lambda: work.dance(SHORT), runs)
    whole = sum(stages.values())
    rows = [row(f"{SHORT} s dance without sampling", whole - stages[SAMPLING], (whole - stages[SAMPLING]) / whole)]
    rows += share_rows("of a dance", stages)
    if "music" in work.model.denoisers:
        rows += share_rows("of music", stage_seconds(lambda: work.score(SHORT), runs))
    return rows


def teacher_rows(work: Work, runs: int) -> list[dict]:
    """Sampling by the model and by its teachers, in turn."""
    sampled = {"motion": (work.dance, "dance", SAMPLING), "music": (work.score, "music", COMPOSING)}
    rows = []
    for make, what, stage in (sampled[name] for name in sampled if name in work.model.config.teachers):
        taken: dict[str, list[dict[str, float]]] = {quality: [] for quality in QUALITIES}
        for _ in range(runs):
            for quality, stages in taken.items():
                stages.append(stages_of(partial(make, SHORT, quality)))
        own, teacher = (medians_of(stages)[stage] for stages in taken.values())
        rows.append(row(f"sampling of {SHORT} s of {what}", own, 1.0))
        rows.append(row(f"sampling of the same {what} by the teacher (fine)", teacher, teacher / own))
    return rows


def thread_rows(work: Work, args: Bench) -> list[dict]:
    """Dances of ``SHORT`` with all threads and with one, in turn."""

    def dance(threads: int) -> None:
        torch.set_num_threads(threads)
        work.dance(SHORT)

    counts = (args.threads, 1)
    taken = medians_in_turn([lambda count=count: dance(count) for count in counts], args.runs)
    torch.set_num_threads(args.threads)
    return [
        row(f"{SHORT} s dance with {count} thread{'s'[: count > 1]}", seconds, seconds / taken[0])
        for count, seconds in zip(counts, taken, strict=True)
    ]


def edit_rows(work: Work, runs: int) -> list[dict]:
    """Processor time of edits in a dance of ``LONG`` that was heard before, with shares of the whole dance's."""
    taken = edit_seconds(work.model, io.read(work.song, seconds=LONG), runs)
    whole = taken[WHOLE]
    return [
        row(f"{LONG} s, one thread, processor time: {what}", taken[what], taken[what] / whole)
        for what in (WHOLE, HEARING)
    ] + [row(f"  an edit of four bars of it: {kind}", taken[kind], taken[kind] / whole) for kind in KINDS]


def share_rows(what: str, stages: dict[str, float]) -> list[dict]:
    """A row for every stage of something, with its share."""
    whole = sum(stages.values())
    return [
        row(f"  {what}: {NAMES.get(stage, stage.lower())}", taken, taken / whole) for stage, taken in stages.items()
    ]


def other_rows(work: Work, args: Bench) -> list[dict]:
    """What is timed in processes of its own, in turn with ours: with AVX2 alone, in float32, and by another commit."""
    threads = ["--threads", str(args.threads)]
    arguments = [str(work.song), str(work.folder / "other.bvh"), "--seconds", str(SHORT), *threads]
    reference = ["--steps", str(args.reference_steps), *threads]
    with workers(arguments, work.given, reference, args.against) as doing:
        yardstick = {REFERENCE: doing.pop(REFERENCE), "AVX2": doing["AVX2"]}
        rows = turn_rows(doing, "dance", "dance", args.runs)
        if "music" in work.model.denoisers:
            both = {name: doing[name] for name in ("own", "AVX2")}
            rows += turn_rows(both, "score", "of music", args.runs) + turn_rows(both, "duet", "duet", args.runs)
        slow, dance = (sum(s.values()) for s in seconds_in_turn(yardstick, "dance", args.reference_runs).values())
    return [*rows, row(f"{REFERENCE}, {SHORT} s (in dances with AVX2 in turn)", slow, slow / dance)]


def turn_rows(doing: dict[str, Worker], what: str, name: str, runs: int) -> list[dict]:
    """Rows of ``SHORT`` seconds by each of them, and of its stages. The ratio is to the first, which is ours."""
    (_, own), *others = seconds_in_turn(doing, what, runs).items()
    whole = sum(own.values())
    rows = [row(f"{SHORT} s {name}, in turn with those below", whole, 1.0)]
    for other, stages in others:
        taken = sum(stages.values())
        rows.append(row(f"{SHORT} s {name}: {other}", taken, taken / whole))
        rows += share_rows(f"{name}, {other}", stages)
    return rows


def engine_rows(work: Work, runs: int) -> list[dict]:
    """What a user waits for with a fresh engine, and what it holds after many requests."""
    request = DanceRequest(song=str(work.song), seconds=float(SHORT), out=str(work.folder / "engine.npz"))
    started = [engine_start(request, work.given) for _ in range(runs)]
    ready, answered = (statistics.median(times) for times in zip(*started, strict=True))
    held = engine_memory(replace(request, steps=2), work.given, REQUESTS)
    return [
        row("engine: from its start to ready", ready),
        row(f"engine: from its start to its first {SHORT} s dance", answered),
        *(row(f"engine: memory after {n} requests, GB", held[n - 1]) for n in (REQUESTS // 10, REQUESTS) if held),
    ]


def memory_rows(work: Work) -> list[dict]:
    """The peak memory of each operation over ``LONG``, each in a process of its own."""
    commands = {"dance": "song"}
    if "music" in work.model.denoisers:
        commands |= {"score": "motion", "duet": "duet"}
    return [
        row(f"peak memory with a {LONG} s {what}, GB", peak_memory(work.arguments(command, LONG)))
        for command, what in commands.items()
    ]


def measured(work: Work, args: Bench) -> list[dict]:
    """All rows."""
    rows = warm_rows(work, args.runs)
    warm = rows[0]["median"]
    rows += preview_rows(work, args.runs)
    cold = median_seconds(lambda: run_cold(work.arguments("dance", SHORT)), args.runs)
    rows += stage_rows(work, args.runs) + teacher_rows(work, args.runs) + thread_rows(work, args)
    rows += edit_rows(work, args.runs) + other_rows(work, args)
    rows.append(row(f"{SHORT} s song to BVH, cold process", cold, cold / warm))
    rows += engine_rows(work, args.runs)
    rows.append(reference_row(work, args))
    rows += memory_rows(work)
    action = write_action_seconds()
    if action is not None:
        rows.append(row("180 s x 30 fps x 22 bones into an action", action, action / warm))
    return rows


def reference_row(work: Work, args: Bench) -> dict:
    """The reference in turn with a dance, both with the processor's own instructions."""
    network, compute = Reference().eval(), native_half(torch.device("cpu"))
    size = sum(p.numel() for p in network.parameters()) / 1e6
    jobs: list[Callable[[], object]] = [partial(run_reference, network, compute, args.reference_steps)]
    some, dance = medians_in_turn([*jobs, partial(work.dance, SHORT)], args.reference_runs)
    seconds = some * STEPS / args.reference_steps
    return row(f"reference of {size:.0f} M, {SHORT} s (in dances in turn)", seconds, seconds / dance)


def left_out(model: pipeline.Model) -> list[str]:
    """What the table lacks because the model lacks it."""
    notes = []
    if "music" not in model.denoisers:
        notes.append(f"the model {model.name} has no denoiser of music: music and duets are left out")
    if model.vocoder is None:
        notes.append(f"the model {model.name} has no vocoder: it is left out, and music is made by Griffin-Lim")
    return notes


def table(rows: list[dict]) -> str:
    """The rows as text."""
    lines = [f"{'what':54s} {'median':>9s} {f'x a {SHORT} s dance':>14s} {f'x its {SHORT} s':>11s}"]
    for row in rows:
        ratio, growth = ("" if row[name] is None else f"{row[name]:.2f}" for name in ("ratio", "growth"))
        lines.append(f"{row['what']:54s} {row['median']:9.2f} {ratio:>14s} {growth:>11s}".rstrip())
    return "\n".join(lines)


def main(args: Bench) -> list[dict]:
    """Print the table and return its rows."""
    torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory() as folder:
        work = Work(Path(folder), args.model)
        rows = measured(work, args)
    print("\n".join([table(rows), *left_out(work.model)]))
    write_results(rows, args.out)
    return rows
