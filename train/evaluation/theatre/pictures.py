"""The paper's figures 4 to 7, and a performance at a glance. Each is the bytes of one PNG."""

from __future__ import annotations

import matplotlib
import numpy as np
import torch
from torch import Tensor

from core.light.dancer import watch
from core.metrics.theatre import similarities
from core.rhythm.events import strong_beats
from core.show.channels import SHOW_FPS
from train.draw import LEFT, MIDDLE, RIGHT
from train.evaluation.dance.measures import positions_of
from train.evaluation.figures import PALE, png
from train.evaluation.theatre.acts import Act
from train.tasks.theatre_report import strip

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

SECONDS = 8.0  # of the energy curve
SPAN = 16.0  # seconds of a performance at a glance
BINS = 24  # of the time from one strong beat to the next
SLICES = 64  # of the similarities
BARS = {
    "bas.calibrated": "BAS (c), calibrated",
    "energy_on_beats": "energy on strong beats",
    "cmc.value": "CMC",
    "sci.value": "SCI",
    "fvd": "FVD (lower is nearer)",
}
COSINES = "RdBu_r"
COMPARED = ("capture, struck", "capture, arriving", "default dance, rules")  # in figure 4
PAIRS = ((0, 1, "music, motion"), (0, 2, "music, light"), (1, 2, "motion, light"))


def everything(found: dict[str, list[Act]], report: dict, other_look: Act | None) -> dict[str, bytes]:
    """The pictures by name. Figure 7 needs ablations, which are all theatres but the first."""
    theatres = [name for name in report["theatres"] if name in found]
    if report["judge"] not in theatres:
        return {}
    ours = found[report["judge"]]
    curves = {name: some for name, some in found.items() if name in (report["judge"], *COMPARED)}
    shown = {
        "theatre_4_energy": energy(ours[0], curves),
        "theatre_5_similarity": similarity(
            {name: found[name][0] for name in ("capture, struck", ours[0].system) if name in found}
        ),
        "theatre_6_baselines": bars(report, [name for name in found if name not in theatres[1:]]),
        "theatre_at_a_glance": glance([act for act in (ours[0], other_look) if act is not None]),
    }
    if len(theatres) > 1:
        shown["theatre_7_ablations"] = bars(report, theatres)
    return shown


def kinetic(act: Act) -> tuple[Tensor, Tensor]:
    """Times (t,) and kinetic energy (t,) of a dance, relative to its mean."""
    positions = positions_of(act.motion).double()
    values = positions.diff(dim=0).square().sum(dim=(1, 2))
    times = (torch.arange(len(values), dtype=torch.float64) + 0.5) / act.motion.fps
    return times, values / values.mean().clamp_min(1e-12)


def folded(some: list[Act]) -> np.ndarray:
    """The mean energy (bins,) of dances from one strong beat to the next; nan where there is none."""
    sums, counts = np.zeros(BINS), np.zeros(BINS)
    for act in some:
        times, values = kinetic(act)
        strong = strong_beats(act.scene.beats)
        if len(strong) < 2:
            continue
        after = torch.searchsorted(strong, times, right=True)
        inside = (after > 0) & (after < len(strong))
        start, end = strong[after[inside] - 1], strong[after[inside]]
        place = ((times[inside] - start) / (end - start) * BINS).long().clamp_max(BINS - 1).numpy()
        np.add.at(sums, place, values[inside].numpy())
        np.add.at(counts, place, 1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def energy(act: Act, compared: dict[str, list[Act]]) -> bytes:
    """Figure 4: the energy of one dance over its beats, and the mean energy from one strong beat to the next."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 2.8), width_ratios=(3, 2))
    times, values = kinetic(act)
    inside = times < SECONDS
    left.plot(times[inside], values[inside], color=RIGHT, lw=1.4)
    strong = set(strong_beats(act.scene.beats).tolist())
    for beat in act.scene.beats.between(0, SECONDS).times.double().tolist():
        left.axvline(beat, color=LEFT, lw=1.6 if beat in strong else 0.6, ls="-" if beat in strong else ":", zorder=0)
    left.set(xlabel="seconds (lines: strong beats)", ylabel="energy / mean", xlim=(0, SECONDS))
    left.set_title(f"{act.system}, {act.song}", fontsize=9)
    for name, some in compared.items():
        right.plot((np.arange(BINS) + 0.5) / BINS, folded(some), lw=2.2 if name == act.system else 1.2, label=name)
    right.axhline(1, color=PALE, lw=0.8)
    right.set(xlabel="from one strong beat to the next", xlim=(0, 1))
    right.legend(fontsize=6, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    figure.tight_layout()
    return png(figure)


def similarity(shown: dict[str, Act]) -> bytes:
    """Figure 5: cosines of each slice of one modality with each slice of another, a row for each performance."""
    figure, grid = plt.subplots(len(shown), 3, figsize=(8.4, 2.8 * len(shown)), squeeze=False, layout="constrained")
    for row, (name, act) in zip(grid, shown.items(), strict=True):
        for axes, (a, b, title) in zip(row, PAIRS, strict=True):
            cosines = similarities(act.vectors[a][:SLICES], act.vectors[b][:SLICES])
            axes.imshow(cosines.numpy(), vmin=-1, vmax=1, cmap=COSINES, origin="lower")
            axes.set_title(f"{name}: {title}", fontsize=8)
            axes.tick_params(labelsize=6)
    figure.colorbar(ScalarMappable(Normalize(-1, 1), COSINES), ax=grid, shrink=0.7)
    return png(figure)


def bars(report: dict, names: list[str]) -> bytes:
    """Figures 6 and 7: means of systems with their 95 % intervals. The small line is chance."""
    figure, grid = plt.subplots(1, len(BARS), figsize=(2.5 * len(BARS), 0.9 + 0.26 * len(names)), sharey=True)
    for axes, (path, title) in zip(grid, BARS.items(), strict=True):
        for place, name in enumerate(names):
            row = report["systems"][name]
            known = row["frames"].get(path) if path == "fvd" else row["intervals"].get(path)
            if known is None:
                continue
            axes.barh(place, known["mean"], color=LEFT if name == report["judge"] else RIGHT, height=0.6)
            if known["low"] is not None:
                axes.plot((known["low"], known["high"]), (place, place), color="black", lw=1.1)
            chance = row["intervals"].get(path.replace(".value", ".chance")) if path.endswith(".value") else None
            if chance is not None:
                axes.plot((chance["mean"],) * 2, (place - 0.4, place + 0.4), color=MIDDLE, lw=1.2)
        axes.set_title(title, fontsize=8)
        axes.tick_params(labelsize=7)
    grid[0].set_yticks(range(len(names)), names)
    grid[0].set_ylim(len(names) - 0.4, -0.6)
    figure.tight_layout()
    return png(figure)


def glance(shown: list[Act]) -> bytes:
    """The light of performances of one song as strips of colour, with beats and sections, above the dance's energy."""
    figure, grid = plt.subplots(
        2 * len(shown), 1, figsize=(10, 2.6 * len(shown)), sharex=True, height_ratios=(2, 1) * len(shown)
    )
    for act, (strips, curve) in zip(shown, grid.reshape(-1, 2), strict=True):
        colours = strip(torch.from_numpy(act.show.values))[:, : round(SPAN * act.show.fps)]
        span = colours.shape[1] / act.show.fps
        strips.imshow(colours.numpy(), aspect="auto", interpolation="nearest", extent=(0, span, len(colours), 0))
        strips.set_yticks([])
        strips.set_title(f"{act.system}, {act.song}, {act.scene.look}", fontsize=8)
        for beat in strong_beats(act.scene.beats.between(0, span)).tolist():
            strips.axvline(beat, ymin=0.94, color="white", lw=1)
        for section in act.scene.heard.sections:
            strips.axvline(section.start, color="white", lw=1.6, ls="--")
        moved = watch(positions_of(act.motion), act.motion.fps).energy[: round(span * SHOW_FPS)]
        curve.fill_between(np.arange(len(moved)) / SHOW_FPS, moved, color=RIGHT, lw=0)
        curve.set(ylabel="energy", ylim=(0, 1), yticks=())
    grid[-1].set(xlabel="seconds (ticks: strong beats; dashed: sections)", xlim=(0, min(SPAN, shown[0].show.seconds)))
    figure.tight_layout()
    return png(figure)
