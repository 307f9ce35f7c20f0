"""The report's figures of dances."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from core.motion import kinematics
from core.rhythm.accents import kinematic_beats
from core.types import Motion
from train.draw import contact_sheet
from train.evaluation import figures
from train.evaluation.dance.measures import Clip
from train.evaluation.dance.systems import REAL
from train.evaluation.options import Options
from train.evaluation.run import Results

PANELS = {
    "beats.bas_bailando.calibrated": "BAS (b), calibrated",
    "beats.f_hits_100ms.calibrated": "F hits 100 ms, calibrated",
    "beats.bas_theatre.calibrated": "BAS Theatre, calibrated",
    "beats.f_onsets_70ms.calibrated": "F onsets 70 ms, calibrated",
    "physics.foot_skating": "foot skating",
    "physics.jerk": "jerk, m/s³",
    "physics.speed": "speed, m/s",
    "physics.pfc": "PFC",
}
FEW = ("beats.bas_bailando.calibrated", "beats.f_hits_100ms.calibrated", "physics.foot_skating", "physics.jerk")
COMPARED = (  # of trained baselines and ablations
    "beats.bas_bailando.calibrated",
    "beats.f_hits_100ms.calibrated",
    "physics.foot_skating",
    "physics.pfc",
)
SWEPT = {path: PANELS[path] for path in (*FEW, "physics.speed")}
SHEET_WIDTH = 1200  # pixels


def pictures(results: Results, options: Options) -> dict[str, tuple[bytes, str]]:
    """Name -> PNG and caption, in the order of the report."""
    report = results.report
    plain = without_sweeps(report)
    few = {path: PANELS[path] for path in FEW}
    shown: dict[str, tuple[bytes, str]] = {}
    shown["bars"] = (
        figures.bars(plain, PANELS),
        "Means over songs and their 95 % bootstrap intervals. Calibrated: 0 is chance, 1 perfect.",
    )
    apart = figures.differences(plain, few)
    if apart is not None:
        shown["differences"] = apart, "Differences with 95 % intervals; pale where the interval holds zero."
    for option in dict.fromkeys(row["option"] for row in report["sweeps"]):
        caption = f"Over {option}, with 95 % intervals; dashed: {report['compared_with']} with its own settings."
        shown[f"sweep_{option}"] = figures.sweep(report, option, SWEPT), caption
    clips = {name: ours for name, ours in results.clips.items() if ours and name in plain["systems"]}
    danced = {name: ours for name, ours in clips.items() if name != REAL}
    for song in results.material.songs[:: max(1, len(results.material.songs) // 3)][:3]:
        same = [next((c for c in ours if c.song == song.name), None) for ours in danced.values()]
        same = [clip for clip in same if clip is not None]
        if same:
            caption = "Musical beats and when bodies arrive (hits) and start (onsets). Arrivals belong on the lines."
            shown[f"beats_{song.number}"] = figures.beat_match(same), caption
            caption = (
                "Kinetic energy and strong beats, as Theatre figure 4. Bodies that arrive on beats are slowest there "
                "and peak between: Theatre's BAS asks for the opposite of the others."
            )
            shown[f"energy_{song.number}"] = figures.energy(same), caption
    caption = (
        "How fast bodies are through the beat. A dip at 0 is what every BAS rewards; a flat line ignores the beat."
    )
    through = figures.beat_phase(plain)
    if through is not None:
        shown["phase"] = through, caption
    caption = "Why one bin a second says nothing: a metronome at nearly any tempo covers every second of another."
    shown["metronome"] = figures.metronome(), caption
    for name, clip in sheets(danced, options.sheets).items():
        shown[name] = _sheet(clip), f"{clip.system}: {clip.song}, seed {clip.seed}"
    return shown


def without_sweeps(report: dict) -> dict:
    """The report with only those systems that were asked for by name."""
    swept = {row["system"] for row in report["sweeps"]}
    return report | {"systems": {name: row for name, row in report["systems"].items() if name not in swept}}


def sheets(danced: dict[str, list[Clip]], most: int) -> dict[str, Clip]:
    """The clips that get a contact sheet: the first of every system with bodies, then the second of each, and so on."""
    found: dict[str, Clip] = {}
    for place in range(most):
        for number, ours in enumerate(danced.values()):
            if place < len(ours) and isinstance(ours[place].made, Motion) and len(found) < most:
                found[f"sheet_{number}_{place}"] = ours[place]
    return found


def _sheet(clip: Clip) -> bytes:
    motion = clip.made
    assert isinstance(motion, Motion)
    positions = kinematics.forward(motion.rotations, motion.root)
    found = kinematic_beats(positions, motion.fps).times
    picture = Image.fromarray(contact_sheet(positions, motion.fps, clip.beats.times, found).numpy())
    size = (SHEET_WIDTH, round(picture.height * SHEET_WIDTH / picture.width))
    buffer = BytesIO()
    picture.resize(size, Image.Resampling.LANCZOS).quantize(64).save(buffer, format="png", optimize=True)
    return buffer.getvalue()
