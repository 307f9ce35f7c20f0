"""Shows what prepared data is like: a table of figures, and contact sheets of random pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm import tqdm

from core.motion.kinematics import forward
from core.rhythm.accents import kinematic_beats
from train.data.dataset import load_pairs

VARIANTS = ("unwarped", "slowing_only", "warped", "final")
SHEET_SECONDS = 16.0


def summary(lines: list[dict]) -> str:
    """A table of the pairs by genre, made from their index lines.

    It shows how many there are, how long they are, calibrated BAS (b), rates of the warp and position errors.
    """
    head = (
        f"{'':24}{'pairs':>6}{'motions':>8}{'minutes':>8}   calibrated BAS: {'unwarped':>9}{'slowing':>8}{'warped':>8}"
        f"{'both':>7}{'worst rate':>13}{'with slowing':>13}{'error cm':>10}"
    )
    rows = [head]
    warped = [line for line in lines if "matched" in line]
    known = [line for line in lines if "bas" in line and "matched" not in line]
    for whole, chosen, row in (("all", warped, _row), ("known beats", known, _known_row)):
        families = sorted({_family(line["genre"]) for line in chosen})
        rows += [row(name, [line for line in chosen if _family(line["genre"]) == name]) for name in families]
        if chosen:
            rows.append(row(whole, chosen))
    own = [line for line in lines if "bas" not in line]
    if own:
        rows.append(f"{'recorded together':24}{len(own):6}{len(own):8}{sum(line['seconds'] for line in own) / 60:8.1f}")
    rows.append("position error by joint, cm: " + joint_errors(lines))
    return "\n".join(rows)


def joint_errors(lines: list[dict]) -> str:
    """The mean position error of each joint over all motions. Left and right are averaged."""
    by_motion = {line["motion"]: line["error_cm"] for line in lines}
    joints: dict[str, list[float]] = {}
    for errors in by_motion.values():
        for joint, error in errors.items():
            joints.setdefault(joint.removeprefix("left_").removeprefix("right_"), []).append(error)
    return "  ".join(f"{joint} {np.mean(values):.1f}" for joint, values in joints.items())


def _family(genre: str) -> str:
    return genre.split(":")[0].split("(")[0].strip()[:22]


def _row(name: str, lines: list[dict]) -> str:
    bas = [np.mean([line["bas"][variant] for line in lines]) for variant in VARIANTS]
    rate = min(line["rate"][0] for line in lines), max(line["rate"][1] for line in lines)
    both = min(line["rate_with_accent"][0] for line in lines), max(line["rate_with_accent"][1] for line in lines)
    errors = [np.mean(list(line["error_cm"].values())) for line in lines]
    return (
        f"{_counts(name, lines)}{'':19}{bas[0]:9.2f}{bas[1]:8.2f}{bas[2]:8.2f}{bas[3]:7.2f}"
        f"{f'{rate[0]:.2f}-{rate[1]:.2f}':>13}{f'{both[0]:.2f}-{both[1]:.2f}':>13}"
        f"{np.mean(errors):10.1f}"
    )


def _known_row(name: str, lines: list[dict]) -> str:
    """A row of pairs that are not warped. Their only BAS is that of the pair as it is."""
    errors = [np.mean(list(line["error_cm"].values())) for line in lines]
    rates = [line["rate"] for line in lines]
    return (
        f"{_counts(name, lines)}{'':19}{'':25}{np.mean([line['bas']['final'] for line in lines]):7.2f}"
        f"{f'{min(rates):.2f}-{max(rates):.2f}':>13}{'':13}{np.mean(errors):10.1f}"
    )


def _counts(name: str, lines: list[dict]) -> str:
    motions = len({line["motion"] for line in lines})
    return f"{name:24}{len(lines):6}{motions:8}{sum(line['seconds'] for line in lines) / 60:8.1f}"


def contact_sheets(data: Path, out: Path, count: int, seed: int) -> list[Path]:
    """Draw ``count`` random pairs, each from a random place, as PNG files in ``out``. Returns their paths."""
    from train.draw import contact_sheet  # matplotlib takes a second to load

    out.mkdir(parents=True, exist_ok=True)
    chosen = load_pairs(data, "train") + load_pairs(data, "val")
    draw, made = np.random.default_rng(seed), []
    for number in tqdm(sorted(draw.permutation(len(chosen))[:count].tolist()), desc="contact sheets"):
        pair = chosen[number]
        motion = pair.motion()
        frames = int(SHEET_SECONDS * motion.fps)
        start = int(draw.integers(0, max(1, motion.frames - frames)))
        motion = motion.cut(start, start + frames)
        positions = forward(motion.rotations, motion.root)
        path = out / f"{pair.id}.png"
        place = f"from {start / motion.fps:.1f} s"
        title = f"{pair.id}   {pair.genre}   with {pair.music_name}, {pair.tempo:.0f} BPM   {place}"
        beats = pair.beats - start / motion.fps
        contact_sheet(
            positions, motion.fps, beats, kinematic_beats(positions, motion.fps).times, title=title, path=path
        )
        made.append(path)
    return made
