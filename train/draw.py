"""Pictures of motion and mel for people: contact sheets, curves, originals above reconstructions."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import torch
from torch import Tensor

from core.motion.layouts import LAYOUTS, Layout

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle

LEFT = "#c8553d"
RIGHT = "#2a6f97"
MIDDLE = "#3d405b"
BODY = LAYOUTS["smpl22-6d"]
SHEET_ROWS = 4  # of a contact sheet, each from the front and the side
SHEET_COLUMNS = 16  # poses of such a row
POSE_SPACING = 1.25  # metres between two of them
ROW_POSES = 14  # of a row that shows one body


def _colour(name: str) -> str:
    return LEFT if name.startswith("left") else RIGHT if name.startswith("right") else MIDDLE


def draw_pose(axes: Axes, positions: Tensor, offset: float = 0.0, view: str = "front", layout: Layout = BODY) -> None:
    """Draw one stick figure on matplotlib axes, its first joint ``offset`` metres along the picture.

    positions: (j, 3) or (j, 2) metres.
    view: "front" looks along -z, with the dancer's left at the picture's right. "side" looks along -x.
    layout: whose joints they are.
    """
    points = positions.detach().float().cpu().numpy()
    across = points[:, 0] if view == "front" else points[:, 2]
    across = across - across[0] + offset
    for joint, parent in enumerate(layout.parents):
        if parent >= 0:
            axes.plot(
                [across[parent], across[joint]],
                [points[parent, 1], points[joint, 1]],
                color=_colour(layout.joints[joint]),
                lw=2,
                solid_capstyle="round",
            )
    head, rise = (layout.joints.index("head"), 0.08) if "head" in layout.joints else (layout.joints.index("nose"), 0.03)
    axes.add_patch(Circle((across[head], points[head, 1] + rise), 0.09, fill=False, color=MIDDLE, lw=2))


def _as_image(figure: Figure) -> Tensor:
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    canvas.draw()
    image = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    plt.close(figure)
    return torch.from_numpy(image)


def contact_sheet(
    positions: Tensor,
    fps: float,
    beats: Tensor | None = None,
    kinematic_beats: Tensor | None = None,
    title: str = "",
    path: Path | None = None,
) -> Tensor:
    """A contact sheet of a dance: rows of poses from the front and the side, over its speed with both kinds of beats.

    positions: (t, j, 3) metres.
    beats: (n,) seconds, of the music.
    kinematic_beats: (n,) seconds, of the body.
    path: where to write the picture, if anywhere.

    Returns the picture (h, w, 3) uint8.
    """
    frames, rows, columns = len(positions), SHEET_ROWS, SHEET_COLUMNS
    speed = positions.diff(dim=0).norm(dim=-1).mean(dim=-1).mul(fps).cpu().numpy()
    figure, panels = plt.subplots(
        rows * 3, 1, figsize=(columns * 1.05, rows * 4.6), gridspec_kw={"height_ratios": [2.2, 2.2, 0.9] * rows}
    )
    for row in range(rows):
        start, end = row * frames // rows, (row + 1) * frames // rows
        shown = [min(start + (end - start) * column // columns, frames - 1) for column in range(columns)]
        for line, view in enumerate(("front", "side")):
            _draw_poses(panels[row * 3 + line], positions[shown], view)
        _draw_speed(panels[row * 3 + 2], speed, fps, (start, end), beats, kinematic_beats)
    panels[-1].set_xlabel("seconds   (solid: musical beats, dotted: kinematic beats)", fontsize=8)
    panels[0].set_title(title, fontsize=10)
    figure.tight_layout(pad=0.4)
    if path is not None:
        figure.savefig(path, dpi=80)
    return _as_image(figure)


def _draw_poses(axes: Axes, positions: Tensor, view: str) -> None:
    """Draw poses (n, j, 3) beside each other, from "front" or "side"."""
    for column, pose in enumerate(positions):
        draw_pose(axes, pose, offset=column * POSE_SPACING, view=view)
    axes.axhline(0.0, color="#bbbbbb", lw=1, zorder=0)
    axes.set_xlim(-0.8, len(positions) * POSE_SPACING - 0.4)
    axes.set_ylim(-0.15, 2.15)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.text(-0.75, 1.95, view, fontsize=8, color="#777777")


def _draw_speed(
    axes: Axes,
    speed: np.ndarray,
    fps: float,
    frames: tuple[int, int],
    beats: Tensor | None,
    kinematic_beats: Tensor | None,
) -> None:
    """Draw the speed (t,) in m/s from one frame to before another, with both kinds of beats."""
    start, end = frames
    clock = np.arange(start, max(start + 1, min(end, len(speed)))) / fps
    axes.plot(clock, speed[start : start + len(clock)], color=MIDDLE, lw=1.2)
    for times, colour, style in ((beats, LEFT, "-"), (kinematic_beats, RIGHT, ":")):
        if times is not None:
            inside = [float(t) for t in times if start / fps <= t < end / fps]
            axes.vlines(inside, 0, speed.max(), color=colour, lw=1, linestyle=style)
    axes.set_xlim(start / fps, start / fps + (end - start) / fps)
    axes.set_ylim(0, speed.max() * 1.02 + 1e-6)
    axes.tick_params(labelsize=7)
    axes.set_ylabel("m/s", fontsize=7)


def motion_picture(bodies: list[Tensor], layout: Layout = BODY) -> Tensor:
    """Rows of poses, one row a body: the original above its reconstruction. Returns (h, w, 3) uint8.

    bodies: (t, j, 3) or (t, j, 2) metres each.
    """
    figure, panels = plt.subplots(len(bodies), 1, figsize=(ROW_POSES, 2.3 * len(bodies)), squeeze=False)
    for axes, positions in zip(panels[:, 0], bodies, strict=True):
        for column in range(ROW_POSES):
            pose = positions[len(positions) * column // ROW_POSES]
            draw_pose(axes, pose, offset=column * POSE_SPACING, layout=layout)
        axes.set_xlim(-0.8, ROW_POSES * POSE_SPACING - 0.4)
        axes.set_ylim(-0.2, 2.2)
        axes.set_aspect("equal")
        axes.set_axis_off()
    return _as_image(figure)


def mel_picture(original: Tensor, decoded: Tensor) -> Tensor:
    """Log-mels (b, t, m), originals above reconstructions. Returns (h, w, 3) uint8."""
    figure, panels = plt.subplots(2, len(original), figsize=(3.2 * len(original), 5), squeeze=False)
    for column, pair in enumerate(zip(original, decoded, strict=True)):
        for row, mel in enumerate(pair):
            panels[row, column].imshow(mel.T.numpy(), origin="lower", aspect="auto", vmin=-10, vmax=2)
            panels[row, column].set_axis_off()
    figure.tight_layout(pad=0.2)
    return _as_image(figure)


def similarity_picture(tables: dict[str, Tensor]) -> Tensor:
    """Cosines (n, n) between time slices by the pair that they compare, side by side. Returns (h, w, 3) uint8."""
    figure, panels = plt.subplots(1, len(tables), figsize=(3.2 * len(tables), 3.4), squeeze=False)
    for axes, (name, table) in zip(panels[0], tables.items(), strict=True):
        axes.imshow(table.float().cpu().numpy(), vmin=-1, vmax=1, cmap="coolwarm")
        axes.set_title(name, fontsize=9)
        axes.tick_params(labelsize=7)
    figure.tight_layout(pad=0.4)
    return _as_image(figure)


def light_picture(shows: list[Tensor]) -> Tensor:
    """Strips of colour over time, one of all roles for each show, the first at the top. Returns (h, w, 3) uint8.

    shows: (roles, t, 3) sRGB in [0, 1] each.
    """
    figure, panels = plt.subplots(len(shows), 1, figsize=(8, 1.4 * len(shows)), squeeze=False)
    for axes, strip in zip(panels[:, 0], shows, strict=True):
        axes.imshow(strip.float().cpu().numpy(), aspect="auto", interpolation="nearest")
        axes.set_axis_off()
    figure.tight_layout(pad=0.2)
    return _as_image(figure)
