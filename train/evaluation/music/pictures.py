"""The report's figures of music and duets."""

from __future__ import annotations

from train.evaluation import figures
from train.evaluation.dance.measures import look_up
from train.evaluation.dance.systems import REAL
from train.evaluation.music.composers import Piece
from train.evaluation.music.duets import AGREEMENT
from train.evaluation.music.report import MusicResults

BARS = {
    "f_reference.calibrated": "onsets, real music's",
    "f_hits.calibrated": "onsets, hits",
    "f_grid.calibrated": "onsets, beat",
    "f_beats_grid.calibrated": "beats, beat",
}
SWITCHED = {
    AGREEMENT[0]: "F hits 70 ms on beats, calibrated",
    AGREEMENT[1]: "F onsets on hits, calibrated",
    "fad.fad_latent": "FAD-latent",
    "frechet.fid_k": "FID k",
}


def pictures(results: MusicResults) -> dict[str, tuple[bytes, str]]:
    """Name -> PNG and caption, in the order of the report."""
    shown: dict[str, tuple[bytes, str]] = {}
    found = results.report
    if "systems" in found:
        caption = "Strict F of music, calibrated, over captured clips with 95 % intervals: 0 is chance, 1 perfect."
        shown["music_bars"] = figures.bars(found, BARS), caption
        for name in (found["compared_with"], REAL):
            if results.pieces.get(name):
                caption = f"{name}: kinematic beats against onsets. Every hit that is answered has a filled mark above."
                shown[f"music_onsets_{len(shown)}"] = kinematic_beats(results.pieces[name][0]), caption
    if found.get("switch", {}).get("best") is not None:
        caption = (
            f"Over the switch to cross-guidance, as a share of all steps; grey: the best, {found['switch']['best']:g}; "
            "dashed: two independent samples."
        )
        shown["switch"] = switch_curve(found["switch"]), caption
    return shown


def kinematic_beats(piece: Piece) -> bytes:
    """The spectrogram of a score with its onsets, over the speed of its motion with kinematic beats."""
    clip = piece.scene.clip
    title = f"{piece.system}: {piece.scene.name}"
    return figures.onsets_and_kinematic_beats(piece.music.sound, clip.positions, clip.fps, title)


def switch_curve(found: dict) -> bytes:
    """Metrics over the switch, with intervals where there are any."""
    systems = {}
    for row in found["rows"]:
        points = {path: {"mean": look_up(row, path), "low": None, "high": None} for path in SWITCHED}
        known = {path: point for path, point in points.items() if point["mean"] is not None}
        systems[row["system"]] = {"intervals": known | row["intervals"]}
    joint = [row for row in found["rows"] if row["switch"] > 0]
    never = next((row["system"] for row in found["rows"] if row["switch"] == 0), None)
    sweeps = [{"system": row["system"], "option": "switch", "value": row["switch"]} for row in joint]
    report = {"systems": systems, "sweeps": sweeps, "compared_with": never}
    return figures.sweep(report, "switch", SWITCHED, found["best"])
