"""Write the card of a model: ``python -m train.tools.card RUN MODEL --report REPORT --data DATA [--notes NOTES.md]``.

Writes MODEL/CARD.md and MODEL/curves.png from what the run and the evaluation left behind. Every figure in them was
read from a file.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Annotated

import matplotlib
import tyro
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from core.checkpoint import load
from core.files import write_atomically
from train.command import run_program
from train.data.dataset import PAIRS, SONGS
from train.data.shards import read_index
from train.evaluation.dance import copied, momu, tables, told
from train.evaluation.dance.footwork import footwork_tables
from train.evaluation.music import tables as music_tables
from train.options import Fit
from train.run_folder import TRAINED
from train.state import load_state

matplotlib.use("Agg")
import matplotlib.pyplot as plt

CURVES = {
    "mel-vae": ("generator/reconstruction", "validation/mel_l1"),
    "motion-vae": ("motion/reconstruction", "validation/position_cm"),
    "denoiser": ("denoiser/latents", "validation/latents"),
    "scorer": ("scorer/latents", "validation/latents"),
    "distill": ("denoiser/latents", "validation/error"),
    "distill-theatre": ("theatre/motion", "validation/error_motion"),
    "vocoder": ("generator/spectra", "validation/spectra"),
}


@dataclass(frozen=True)
class Card:
    """Write a model's card."""

    run: Annotated[Path, tyro.conf.Positional]  # the folder of train.fit
    model: Annotated[Path, tyro.conf.Positional]  # the exported folder
    report: Path  # report.json of train.evaluate
    data: Path  # the prepared data
    music: Path | None = None  # another report, whose figures of music are shown
    notes: Path | None = None  # a text to add
    exclude: tuple[str, ...] = Fit.exclude  # as it was given to train.fit


def trained(run: Path) -> list[str]:
    """The networks of a model that were trained in ``run``."""
    return [task for task in CURVES if (run / task / "ema.safetensors").is_file()]


def curves(run: Path) -> tuple[dict[str, dict[str, list[tuple[int, float]]]], bytes]:
    """The logged curves by task, and their picture as PNG."""
    found: dict[str, dict[str, list[tuple[int, float]]]] = {}
    tasks = [task for task in trained(run) if (run / task / "logs").is_dir()]
    figure, panels = plt.subplots(1, len(tasks), figsize=(4.2 * len(tasks), 3), squeeze=False)
    for panel, task in zip(panels[0], tasks, strict=True):
        events = EventAccumulator(str(run / task / "logs"), size_guidance={"scalars": 0})
        events.Reload()
        found[task] = {}
        for tag in CURVES[task]:
            if tag in events.Tags()["scalars"]:
                found[task][tag] = [(event.step, event.value) for event in events.Scalars(tag)]
                steps, values = zip(*found[task][tag], strict=True)
                axes = panel.twinx() if tag.startswith("validation") else panel
                axes.plot(steps, values, color="#c8553d" if axes is not panel else "#2a6f97", lw=1, label=tag)
                axes.set_ylabel(tag, fontsize=8)
        panel.set_title(task, fontsize=9)
        panel.set_xlabel("steps", fontsize=8)
    figure.tight_layout()
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    plt.close(figure)
    return found, buffer.getvalue()


def data_table(data: Path, exclude: tuple[str, ...]) -> list[str]:
    """What the model was trained on, by split and genre."""
    seconds: dict[tuple[str, str], float] = defaultdict(float)
    clips: dict[tuple[str, str], set[str]] = defaultdict(set)
    for line in read_index(data / PAIRS):
        if any(word in line["genre"] for word in exclude):
            continue
        genre = line["genre"].split(":")[0]
        seconds[line["split"], genre] += line["seconds"]
        clips[line["split"], genre].add(line["motion"])
    songs = read_index(data / SONGS)
    rows = ["| split | genre | clips | seconds of pairs |", "|---|---|---|---|"]
    rows += [f"| {s} | {g} | {len(clips[s, g])} | {v:.0f} |" for (s, g), v in sorted(seconds.items())]
    real = {split: sum(1 for song in songs if song["split"] == split and song["path"]) for split in ("train", "val")}
    made = {
        split: sum(1 for song in songs if song["split"] == split and not song["path"]) for split in ("train", "val")
    }
    rows.append("")
    rows.append(
        f"Songs: {real['train']} recorded and {made['train']} rendered from MIDI for training, "
        f"{real['val']} and {made['val']} held out."
    )
    return rows


def figures_table(report: dict) -> list[str]:
    """The evaluation's tables as Markdown.

    They are the overview, differences to the first system, distances, form, footwork and physics (by genre for the last
    model), styles told, copying and the first tables of music.
    """
    footwork, physics = footwork_tables(report), tables.physics_tables(report)
    shown = [
        tables.main_table(report),
        tables.differences(report),
        momu.momu_6(report),
        tables.form(report),
        footwork[0],
        *footwork[1:][-1:],
        physics[0],
        *physics[1:][-1:],
        *told.tables(report),
        *copied.tables(report),
    ]
    shown = [table for table in (*shown, *music_tables.console(report)) if table is not None]
    rows: list[str] = []
    for table in shown:
        rows += [f"**{table.title}**", "", "| " + " | ".join(table.headers) + " |", "|---" * len(table.headers) + "|"]
        rows += ["| " + " | ".join(cell.strip() for cell in row) + " |" for row in table.rows]
        rows += ["", table.note, ""]
    return rows


def main(args: Card) -> None:
    """Write the card."""
    model, report = load(args.model), json.loads(args.report.read_bytes())
    if args.music is not None:
        report["music"] = json.loads(args.music.read_bytes())["music"]
    _, picture = curves(args.run)
    lines = [f"# The model `{args.model.name}`", ""]
    lines += ["## Data", "", *data_table(args.data, args.exclude), ""]
    lines += ["## Training", "", "| task | steps | parameters | batch | learning rate |", "|---|---|---|---|---|"]
    for task in trained(args.run):
        steps = load_state(args.run / task / "ema.safetensors")["step"]
        size = sum(value.numel() for value in model.tensors[TRAINED[task].saved].values()) / 1e6
        loop = model.card["training"][task]["loop"]
        lines.append(f"| {task} | {steps} | {size:.1f} M | {loop['batch'] * loop['accumulate']} | {loop['lr']:g} |")
    lines += ["", "![Loss curves](curves.png)", "", "## Figures on the val split", ""]
    lines += [f"{len(report['songs'])} real songs with tracked beats, {report['settings']['seconds']:g} s of each."]
    lines += ["", *figures_table(report), ""]
    if args.notes:
        lines += [args.notes.read_text(encoding="utf-8").strip(), ""]
    write_atomically(args.model / "curves.png", picture)
    write_atomically(args.model / "CARD.md", "\n".join(lines).encode())


if __name__ == "__main__":
    run_program("train.tools.card", main, Card, __doc__)
