"""The picture of docs/architecture.md: how a song becomes keys, with the file of every step and its rates."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

INK = "#22223b"
GREY = "#6c6f7f"
WIDTH = 3.0  # of a box, in inches of the picture
HEIGHT = 1.5
COLUMNS = (2.05, 5.55, 9.05, 12.55)  # middles of boxes
ROWS = (9.35, 6.2, 3.85, 1.5)
FORK = 0.85  # how far above and below the middle of its row a forked box lies


@dataclass(frozen=True)
class Step:
    """A box of the picture.

    title: what the step makes.
    file: where its code is.
    rates: how much there is of what it makes.
    x, y: the middle of the box.
    colour: of its lane.
    glyph: see ``_glyph``.
    """

    title: str
    file: str
    rates: str
    x: float
    y: float
    colour: str
    glyph: str


HEAR = "#2a6f97"
SAMPLE = "#7b5ea7"
FINISH = "#3c8d5f"
BLENDER = "#d9772b"
LANES = (  # title, colour, bottom and top
    ("hear", HEAR, 7.6, 11.05),
    ("sample", SAMPLE, 5.25, 7.25),
    ("finish", FINISH, 2.9, 4.9),
    ("write, in Blender", BLENDER, 0.55, 2.55),
)
STEPS = {
    "file": Step("audio file", "audio/io.py", "any rate, mono or stereo", COLUMNS[0], ROWS[0], HEAR, "wave"),
    "waveform": Step("waveform", "audio/io.py", "16 kHz, mono", COLUMNS[1], ROWS[0], HEAR, "wave"),
    "mel": Step("log-mel", "audio/mel.py", "80 bands, 62.5 a second", COLUMNS[2], ROWS[0] + FORK, HEAR, "mel"),
    "rhythm": Step(
        "beats, rhythm", "rhythm/features.py", "10 channels, 15.625 a second", COLUMNS[2], ROWS[0] - FORK, HEAR, "beats"
    ),
    "music": Step(
        "music latents", "autoencoder/vae.py", "64 channels, 15.625 a second", COLUMNS[3], ROWS[0] + FORK, HEAR, "bars"
    ),
    "sampler": Step(
        "sampler", "diffusion/sampler.py", "12 guided steps from noise", COLUMNS[3], ROWS[1], SAMPLE, "noise"
    ),
    "latents": Step(
        "motion latents", "pipeline/model.py", "32 channels, 15.625 a second", COLUMNS[2], ROWS[1], SAMPLE, "bars"
    ),
    "features": Step(
        "motion features", "autoencoder/vae.py", "140 channels, 31.25 a second", COLUMNS[1], ROWS[1], SAMPLE, "curves"
    ),
    "motion": Step("motion", "motion/features.py", "22 joints, 31.25 a second", COLUMNS[0], ROWS[1], SAMPLE, "body"),
    "smooth": Step(
        "limits, smoothing", "postprocess/joints.py, smooth.py", "no bend that no body has", COLUMNS[0], ROWS[2],
        FINISH, "curves",
    ),
    "feet": Step(
        "drift, feet", "postprocess/drift.py, feet.py", "feet stay where they stand", COLUMNS[1], ROWS[2], FINISH,
        "body",
    ),
    "snap": Step(
        "beat snap", "postprocess/retime.py", "at the scene's frame rate", COLUMNS[2], ROWS[2], FINISH, "beats"
    ),
    "npz": Step("dance.npz", "formats/dance.py", "quaternions, metres, y up", COLUMNS[3], ROWS[2], FINISH, "page"),
    "answer": Step(
        "answer", "blender_addon/api/dance.py", "a line of JSON names the file", COLUMNS[3], ROWS[3], BLENDER, "page"
    ),
    "retarget": Step(
        "retargeting", "rig/retarget.py", "22 joints to the rig's bones", COLUMNS[2], ROWS[3], BLENDER, "body"
    ),
    "curves": Step(
        "curves", "blender_addon/scene/actions.py", "z up, each bone's own axes", COLUMNS[1], ROWS[3], BLENDER,
        "curves",
    ),
    "keys": Step(
        "keys", "blender_addon/scene/actions.py", "one a frame, in a new action", COLUMNS[0], ROWS[3], BLENDER, "keys"
    ),
}  # fmt: skip
ARROWS = (
    ("file", "waveform"), ("waveform", "mel"), ("waveform", "rhythm"), ("mel", "music"), ("music", "sampler"),
    ("rhythm", "sampler"), ("sampler", "latents"), ("latents", "features"), ("features", "motion"),
    ("motion", "smooth"), ("smooth", "feet"), ("feet", "snap"), ("snap", "npz"), ("npz", "answer"),
    ("answer", "retarget"), ("retarget", "curves"), ("curves", "keys"),
)  # fmt: skip


def draw() -> bytes:
    """The picture as PNG."""
    figure = plt.figure(figsize=(14.6, 11.4), dpi=110, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 14.6), ylim=(0.2, 11.6))
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.text(0.3, 11.3, "How a song becomes keys", fontsize=19, weight="bold", color=INK, va="center")
    axes.text(14.3, 11.3, "files are in core/, unless they name another place", fontsize=11.5, color=GREY, va="center",
              ha="right")  # fmt: skip
    for title, colour, bottom, top in LANES:
        axes.add_patch(_rounded(0.3, bottom, 14.0, top - bottom, facecolor=colour, alpha=0.08, edgecolor="none"))
        axes.text(0.42, (bottom + top) / 2, title, fontsize=11, weight="bold", color=colour, rotation=90, va="center",
                  ha="center")  # fmt: skip
    for step in STEPS.values():
        _box(axes, step)
    for start, end in ARROWS:
        _arrow(axes, STEPS[start], STEPS[end])
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()


def _rounded(x: float, y: float, width: float, height: float, **style: Any) -> FancyBboxPatch:
    return FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0,rounding_size=0.14", **style)


def _box(axes: Axes, step: Step) -> None:
    left, bottom = step.x - WIDTH / 2, step.y - HEIGHT / 2
    axes.add_patch(_rounded(left, bottom, WIDTH, HEIGHT, facecolor="white", edgecolor=step.colour, lw=1.6))
    _glyph(axes, step.glyph, left + 0.42, step.y + 0.36, step.colour)
    axes.text(left + 0.82, step.y + 0.36, step.title, fontsize=14.5, weight="bold", color=INK, va="center")
    axes.text(step.x, step.y - 0.14, step.rates, fontsize=11.5, color=INK, va="center", ha="center")
    axes.text(step.x, step.y - 0.5, step.file, fontsize=9.5, color=GREY, family="monospace", va="center", ha="center")


def _arrow(axes: Axes, start: Step, end: Step) -> None:
    """From edge to edge: sideways within a row, else downwards."""
    side = np.sign(end.x - start.x)
    if start.colour == end.colour or start.y == end.y:
        here, there = (start.x + side * WIDTH / 2, start.y), (end.x - side * WIDTH / 2, end.y)
    else:
        here = (start.x, start.y - HEIGHT / 2) if start.x == end.x else (start.x + WIDTH / 2, start.y)
        there = (end.x - 0.7 * side, end.y + HEIGHT / 2)
    bend = "arc3" if start.x == end.x or start.y == end.y else "angle3,angleA=0,angleB=90"
    if start.colour == end.colour and start.y != end.y:
        bend = "arc3"
    axes.add_patch(
        FancyArrowPatch(here, there, connectionstyle=bend, arrowstyle="-|>,head_length=6,head_width=3.2", lw=1.6,
                        color=INK, shrinkA=1, shrinkB=1)
    )  # fmt: skip


def _glyph(axes: Axes, name: str, x: float, y: float, colour: str) -> None:
    """A sign of about 0.5 by 0.5 around (x, y) for what a box holds."""
    t = np.linspace(-0.25, 0.25, 60)
    line = {"color": colour, "lw": 1.5, "capstyle": "round"}
    draw = np.random.default_rng(1)
    if name == "wave":
        high = 0.22 * np.abs(np.sin(31 * t)) * np.exp(-14 * t**2)
        axes.vlines(x + t[::3], y - high[::3], y + high[::3], **{**line, "lw": 1.3})
    elif name == "mel":
        bands = draw.random((6, 6)) * np.linspace(1, 0.3, 6)[::-1, None]
        axes.imshow(bands, extent=(x - 0.25, x + 0.25, y - 0.22, y + 0.22), cmap="Blues", aspect="auto", zorder=3)
        axes.set(xlim=(0, 14.6), ylim=(0.2, 11.6), aspect="equal")
    elif name == "beats":
        for number, at in enumerate((-0.24, -0.08, 0.08, 0.24)):
            axes.vlines(x + at, y - 0.2, y + (0.22 if number % 4 == 0 else 0.04), **line)
    elif name == "bars":
        for number, size in enumerate((0.2, 0.4, 0.28, 0.12, 0.34)):
            axes.vlines(x - 0.22 + 0.11 * number, y - 0.2, y - 0.2 + size, **{**line, "lw": 4, "capstyle": "butt"})
    elif name == "noise":
        axes.scatter(x + draw.uniform(-0.25, 0.25, 40), y + draw.uniform(-0.22, 0.22, 40), s=4, color=colour, lw=0)
    elif name == "curves":
        axes.plot(x + t, y + 0.1 + 0.09 * np.sin(17 * t), color=colour, lw=1.5)
        axes.plot(x + t, y - 0.1 + 0.09 * np.cos(13 * t), color=colour, lw=1.5)
    elif name == "body":
        axes.add_patch(Circle((x, y + 0.19), 0.065, facecolor=colour, edgecolor="none", zorder=3))
        for xs, ys in (
            ((0, 0), (0.12, -0.06)), ((-0.2, 0, 0.2), (0.16, 0.07, -0.02)), ((-0.14, 0, 0.17), (-0.26, -0.06, -0.24)),
        ):  # fmt: skip
            axes.plot(x + np.array(xs), y + np.array(ys), color=colour, lw=1.8, solid_capstyle="round")
    elif name == "page":
        axes.add_patch(_rounded(x - 0.17, y - 0.22, 0.34, 0.44, facecolor="none", edgecolor=colour, lw=1.5))
        axes.hlines(y + np.array([0.1, 0.0, -0.1]), x - 0.09, x + 0.09, **{**line, "lw": 1.1})
    elif name == "keys":
        axes.scatter(x + np.linspace(-0.22, 0.22, 4), np.full(4, y), s=26, marker="D", color=colour, lw=0)
