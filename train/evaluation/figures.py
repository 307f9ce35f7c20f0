"""The report's figures as PNG. Each function takes plain values or clips and returns the bytes of one picture."""

from __future__ import annotations

from io import BytesIO

import matplotlib
import numpy as np
import torch
from torch import Tensor

from core.audio.io import resample
from core.audio.mel import log_mel
from core.layers.peaks import gaussian_smooth
from core.metrics import beat
from core.rhythm.accents import kinematic_beats, kinematic_onsets, mean_speed
from core.rhythm.events import strong_beats
from core.types import Waveform
from train.data.rates import prepared_signal
from train.draw import LEFT, MIDDLE, RIGHT
from train.evaluation.dance.measures import Clip, positions_of

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PALE = "#b8b8b8"
DPI = 110


def png(figure: Figure, dpi: int = DPI) -> bytes:
    """The figure as PNG. It is closed afterwards."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=8)


def bars(report: dict, panels: dict[str, str]) -> bytes:
    """Means of systems with their 95 % intervals, one panel for each metric.

    Chance is 0 in calibrated metrics. In physics the dashed line is held-out capture.

    panels: dotted path -> title.
    """
    names = list(report["systems"])
    columns = min(4, len(panels))
    rows = -(-len(panels) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(3.1 * columns, rows * (0.9 + 0.28 * len(names))), sharey=True, squeeze=False
    )
    for axes, (path, title) in zip(grid.flat, panels.items(), strict=False):
        for place, name in enumerate(names):
            known = report["systems"][name]["intervals"].get(path)
            if known is None:
                continue
            colour = MIDDLE if name == "real" else LEFT if name == report["compared_with"] else RIGHT
            axes.barh(place, known["mean"], color=colour, height=0.62)
            if known["low"] is not None:
                axes.plot((known["low"], known["high"]), (place, place), color="black", lw=1.2, solid_capstyle="butt")
        if path.startswith("physics."):
            real = (report["capture"]["val"] or report["capture"]["all"])["mean"]
            axes.axvline(real[path.removeprefix("physics.")], color=MIDDLE, lw=1, ls="--")
            title = f"{title} (line: real)"
        axes.axvline(0, color="black", lw=0.8)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_title(title, fontsize=9)
        _plain(axes)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    figure.tight_layout()
    return png(figure)


def differences(report: dict, panels: dict[str, str]) -> bytes | None:
    """Paired differences to the first system with their 95 % intervals, or None when no system has any."""
    names = [name for name, row in report["systems"].items() if row.get("difference")]
    if not names:
        return None
    height = 1.0 + 0.28 * len(names)
    figure, grid = plt.subplots(1, len(panels), figsize=(3.1 * len(panels), height), sharey=True, squeeze=False)
    for axes, (path, title) in zip(grid[0], panels.items(), strict=True):
        for place, name in enumerate(names):
            known = report["systems"][name]["difference"].get(path)
            if known is not None and known["low"] is not None:
                sure = known["low"] > 0 or known["high"] < 0
                colour = RIGHT if sure else PALE
                axes.plot((known["low"], known["high"]), (place, place), color=colour, lw=2)
                axes.plot(known["mean"], place, "o", color=colour, ms=5)
        axes.axvline(0, color="black", lw=0.8)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_title(title, fontsize=9)
        _plain(axes)
    figure.suptitle(f"difference to {report['compared_with']}, songs paired", fontsize=9)
    figure.tight_layout()
    return png(figure)


def beat_match(clips: list[Clip], start: float = 4.0, seconds: float = 12.0) -> bytes:
    """Kinematic beats of dances to one song below its musical beats, one row for each clip.

    A mark is filled when it is matched one to one with a beat within 100 ms.
    """
    figure, axes = plt.subplots(figsize=(10, 1.0 + 0.5 * len(clips)))
    end = start + seconds
    music = clips[0].beats.between(start, end)
    downbeats = music.downbeats if music.downbeats is not None else torch.zeros(len(music.times), dtype=torch.bool)
    for time, down in zip(music.times.tolist(), downbeats.tolist(), strict=True):
        axes.axvline(time, color=LEFT, lw=2.0 if down else 0.9, alpha=0.85, zorder=0)
    for place, clip in enumerate(clips):
        positions = positions_of(clip.made)
        found, moved = (f(positions, clip.made.fps).times.double() for f in (kinematic_beats, kinematic_onsets))
        matched = beat.matched(found, clip.beats.times.double(), beat.MOMU_TOLERANCE)
        inside = [t for t in found.tolist() if start <= t < end]
        fills = [RIGHT if t in matched else "white" for t in inside]
        axes.scatter(inside, [place] * len(inside), c=fills, edgecolors=RIGHT, s=34, zorder=3)
        ticks = [t for t in moved.tolist() if start <= t < end]
        axes.scatter(ticks, [place + 0.3] * len(ticks), marker="|", color=MIDDLE, s=30, lw=1)
    axes.set_yticks(range(len(clips)), [clip.system for clip in clips])
    axes.set_ylim(len(clips) - 0.4, -0.6)
    axes.set_xlim(start, end)
    axes.set_xlabel("seconds   (lines: beats, thick on downbeats; circles: hits, filled on the beat; ticks: onsets)")
    axes.xaxis.label.set_fontsize(8)
    axes.set_title(clips[0].song, fontsize=9)
    _plain(axes)
    return png(figure)


def energy(clips: list[Clip], start: float = 4.0, seconds: float = 12.0) -> bytes:
    """Kinetic energy over time with strong beats and its peaks (Theatre, figure 4), one panel for each clip of one
    song.
    """
    figure, panels = plt.subplots(len(clips), 1, figsize=(10, 1.35 * len(clips) + 0.5), sharex=True, squeeze=False)
    end = start + seconds
    for axes, clip in zip(panels[:, 0], clips, strict=True):
        clock, curve = energy_curve(clip)
        inside = (clock >= start) & (clock < end)
        axes.fill_between(clock[inside], curve[inside], color=RIGHT, alpha=0.25, lw=0)
        axes.plot(clock[inside], curve[inside], color=RIGHT, lw=1.2)
        for time in strong_beats(clip.beats).tolist():
            if start <= time < end:
                axes.axvline(time, color=LEFT, lw=1.2)
        axes.set_xlim(start, end)
        axes.set_ylim(0, None)
        axes.set_ylabel(clip.system, fontsize=8, rotation=0, ha="right")
        axes.set_yticks([])
        _plain(axes)
    panels[-1, 0].set_xlabel("seconds   (curve: kinetic energy; lines: strong beats)", fontsize=8)
    panels[0, 0].set_title(clips[0].song, fontsize=9)
    return png(figure)


def energy_curve(clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """The time (t,) in seconds and the sum of squared joint speeds (t,), smoothed as in ``beat.energy_peaks``."""
    positions, fps = positions_of(clip.made).double(), clip.made.fps
    speed = positions.diff(dim=0).norm(dim=-1) * fps
    sigma = beat.BAILANDO_SMOOTHING * fps / beat.BAS_FPS
    curve = gaussian_smooth((speed**2).sum(dim=1), sigma)
    return (np.arange(len(curve)) + 0.5) / fps, curve.numpy()


def beat_phase(report: dict) -> bytes | None:
    """Speed through the beat (``scores.phase``), one line for each system, or None when no system has any.

    Phase 0 is on the beat, one half is between two beats.
    """
    curves = {name: row["phase"] for name, row in report["systems"].items() if row.get("phase")}
    if not curves:
        return None
    figure, axes = plt.subplots(figsize=(5.2, 3.2))
    for number, (name, curve) in enumerate(curves.items()):
        phase = np.linspace(-0.5, 0.5, len(curve) + 1)
        axes.plot(phase, [*curve, curve[0]], lw=1.6, label=name, color="black" if name == "real" else f"C{number}")
    axes.axvline(0, color=LEFT, lw=1)
    axes.axhline(1, color=PALE, lw=0.8)
    axes.set_xlabel("beats from the beat", fontsize=8)
    axes.set_ylabel("speed over its mean", fontsize=8)
    axes.legend(fontsize=7, frameon=False)
    _plain(axes)
    return png(figure)


def sweep(report: dict, option: str, panels: dict[str, str], best: float | None = None) -> bytes:
    """Metrics of a system over the values of one option, with 95 % intervals. Dashed: the first, with its own settings.

    best: a value to be marked.
    """
    rows = [(row["value"], row["system"]) for row in report["sweeps"] if row["option"] == option]
    numeric = all(isinstance(value, int | float) for value, _ in rows)
    rows = sorted(rows) if numeric else rows
    places = [value for value, _ in rows] if numeric else list(range(len(rows)))
    figure, grid = plt.subplots(1, len(panels), figsize=(3.0 * len(panels), 2.5), squeeze=False)
    for axes, (path, title) in zip(grid[0], panels.items(), strict=True):
        known = [(x, report["systems"][n]["intervals"].get(path)) for x, (_, n) in zip(places, rows, strict=True)]
        known = [(x, value) for x, value in known if value is not None]
        if known:
            x, means = [x for x, _ in known], [value["mean"] for _, value in known]
            sides = [[v["mean"] if v[side] is None else v[side] for _, v in known] for side in ("low", "high")]
            axes.fill_between(x, *sides, color=RIGHT, alpha=0.2)
            axes.plot(x, means, "o-", color=RIGHT, ms=4)
        whole = report["systems"].get(report["compared_with"], {}).get("intervals", {}).get(path)
        if whole is not None:
            axes.axhline(whole["mean"], color=LEFT, lw=1, ls="--")
        if best is not None:
            axes.axvline(best, color=PALE, lw=3, alpha=0.6, zorder=0)
        if not numeric:
            axes.set_xticks(places, [str(value) for value, _ in rows])
        axes.set_xlabel(option, fontsize=8)
        axes.set_title(title, fontsize=9)
        _plain(axes)
    figure.tight_layout()
    return png(figure)


def metronome(tempo: float = 120.0, seconds: float = 30.0) -> bytes:
    """Why bins of one second mean nothing: BCS of LORIS and the strict F of metronomes against one at ``tempo``."""
    beats = torch.arange(0, seconds, 60 / tempo, dtype=torch.float64) + 0.1
    speeds = np.arange(60, 201, 2.5)
    ticks = [torch.arange(0, seconds, 60 / float(speed), dtype=torch.float64) + 0.1 for speed in speeds]
    figure, axes = plt.subplots(figsize=(5.2, 2.8))
    binned = [beat.per_second(other, beats, seconds)[0] for other in ticks]
    strict = [beat.f_measure(other, beats) for other in ticks]
    axes.plot(speeds, binned, color=LEFT, lw=1.8, label="BCS, one bin a second")
    axes.plot(speeds, strict, color=RIGHT, lw=1.8, label="strict F, 70 ms")
    axes.set_xlabel(f"beats a minute of a metronome that is judged against one at {tempo:g}", fontsize=8)
    axes.set_ylim(0, 1.05)
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    _plain(axes)
    return png(figure)


def onsets_and_kinematic_beats(
    sound: Waveform, positions: Tensor, fps: float, title: str, start: float = 2.0, seconds: float = 10.0
) -> bytes:
    """The log-mel of a score with its onsets, over the mean joint speed of its motion with kinematic beats.

    Filled marks are matched one to one within 70 ms. Clips that end sooner are shown from their beginning.

    positions: (t, j, 3).
    fps: of the motion.
    """
    signal = prepared_signal()
    start = max(0.0, min(start, sound.seconds - seconds))
    end = min(start + seconds, sound.seconds)
    mel = log_mel(resample(sound, signal.audio_rate).samples, signal)
    first, last = round(start * signal.mel_fps), round(end * signal.mel_fps)
    heard, found = beat.music_onsets(sound), kinematic_beats(positions, fps).times.double()
    speed = mean_speed(positions, fps).numpy()
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(10, 4.6), sharex=True, height_ratios=(3, 2))
    extent = (first / signal.mel_fps, last / signal.mel_fps, 0, mel.shape[1])
    top.imshow(mel[first:last].T.numpy(), origin="lower", aspect="auto", extent=extent, cmap="magma")
    bottom.plot(np.arange(len(speed)) / fps, speed, color=MIDDLE, lw=1.2)
    level = np.interp(found.numpy(), np.arange(len(speed)) / fps, speed)
    for axes, ours, theirs, heights in ((top, heard, found, None), (bottom, found, heard, level)):
        partners = beat.matched(ours, theirs, beat.STRICT_TOLERANCE)
        for number, time in enumerate(ours.tolist()):
            if start <= time < end:
                height = mel.shape[1] + 3 if heights is None else heights[number]
                marker = "v" if heights is None else "o"
                fill = RIGHT if time in partners else "white"
                axes.scatter(time, height, c=fill, edgecolors=RIGHT, marker=marker, s=34, zorder=3, clip_on=False)
    for time in found.tolist():
        if start <= time < end:
            top.axvline(time, color="white", lw=0.7, alpha=0.8)
            bottom.axvline(time, color=LEFT, lw=0.7, alpha=0.6, zorder=0)
    top.set_ylabel("mel band", fontsize=8)
    bottom.set_ylabel("mean joint speed, m/s", fontsize=8)
    bottom.set_xlabel(
        "seconds   (triangles: onsets; circles and lines: kinematic beats; filled: matched within 70 ms)", fontsize=8
    )
    bottom.set_xlim(start, end)
    bottom.set_ylim(0, None)
    top.set_title(title, fontsize=9, pad=12)
    for axes in (top, bottom):
        _plain(axes)
    return png(figure)
