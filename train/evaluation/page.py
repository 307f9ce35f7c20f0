"""The report as one HTML file: tables, notes and pictures, nothing from elsewhere, made to be read and printed."""

from __future__ import annotations

import base64
import html
from io import BytesIO
from pathlib import Path

from PIL import Image

from core.files import write_atomically
from core.motion import kinematics
from core.rhythm.accents import kinematic_beats
from core.types import Motion
from train.draw import contact_sheet
from train.evaluation import figures
from train.evaluation.dance import tables
from train.evaluation.dance.measures import Clip
from train.evaluation.dance.systems import REAL
from train.evaluation.music import pictures as music_pictures
from train.evaluation.music import tables as music_tables
from train.evaluation.run import Options, Results

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
FIRST = ("bars", "differences")  # below the first table
SHEET_WIDTH = 1200  # pixels
STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; margin: 2rem auto; max-width: 78rem;
  padding: 0 1.2rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin: 2.4rem 0 .4rem; }
p.note { color: #555; max-width: 60rem; margin: .3rem 0 .7rem; font-size: .88rem; }
div.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; }
th, td { padding: .22rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #e4e4e4; }
th { border-bottom: 2px solid #444; font-weight: 600; } th:first-child, td:first-child { text-align: left; }
tr.quoted td { color: #888; font-style: italic; }
figure { margin: 1rem 0; } figcaption { color: #555; font-size: .88rem; max-width: 60rem; }
img { max-width: 100%; height: auto; }
li { margin: .15rem 0; }
@media print { body { margin: 0; max-width: none; font-size: 9pt; } table { font-size: 7pt; }
  section, figure { break-inside: avoid; } th, td { padding: .1rem .3rem; } }
"""


def write(results: Results, options: Options) -> None:
    """report.html, and its pictures once more as files in OUT/figures."""
    folder = options.out / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    shown = pictures(results, options)
    for name, (picture, _) in shown.items():
        write_atomically(folder / f"{name}.png", picture)
    write_atomically(options.out / "report.html", page(results.report, shown).encode())


def page(report: dict, shown: dict[str, tuple[bytes, str]]) -> str:
    """The whole document. shown: name -> PNG and caption."""
    found = [*tables.everything(report), *music_tables.everything(report)]
    songs = report["songs"]
    parts = ["<h1>Evaluation</h1>", *(f"<p class='note'>{_text(line)}</p>" for line in _extent(report))]
    music = report.get("music", {})
    for rows in (report["systems"], music.get("systems", {}), music.get("duets", {})):
        if rows:
            shown_rows = (f"<li><b>{_text(name)}</b>: {_text(row['about'])}</li>" for name, row in rows.items())
            parts.append(f"<ul>{''.join(shown_rows)}</ul>")
    if report["failures"]:
        lines = (f"{f['system']} on {f['song']}, seed {f['seed']}: {f['reason']}" for f in report["failures"])
        parts.append("<h2>What failed</h2><ul>" + "".join(f"<li>{_text(line)}</li>" for line in lines) + "</ul>")
    parts.append(table_html(found[0]))
    parts += [_figure(name, *shown[name]) for name in FIRST if name in shown]
    parts += [table_html(table) for table in found[1:]]
    parts.append("<h2>Figures</h2>")
    parts += [_figure(name, *value) for name, value in shown.items() if name not in FIRST]
    names = "".join(
        f"<li>{_text(s['name'])}, {s['tempo']:.0f} beats a minute, {s['seconds']:.0f} s</li>" for s in songs
    )
    parts.append(f"<h2>Songs</h2><ul>{names}</ul>")
    head = f"<head><meta charset='utf-8'><title>Evaluation</title><style>{STYLE}</style></head>"
    return f"<!doctype html>\n<html lang='en'>{head}<body>\n" + "\n".join(parts) + "\n</body></html>\n"


def _extent(report: dict) -> list[str]:
    """On how much the figures rest, a line each for dances and music."""
    settings, songs, music = report["settings"], report["songs"], report.get("music")
    several, rate = "s" if settings["seeds"] > 1 else "", f"at {settings['fps']:g} frames a second."
    lines = []
    if report["systems"]:
        lines.append(
            f"{len(songs)} songs, {settings['seconds']:g} s of each, {settings['seeds']} dance{several} a song and "
            f"system, {rate}"
        )
    if music:
        whole = sum(scene["seconds"] for scene in music["scenes"])
        lines.append(
            f"{len(music['scenes'])} held-out motions, {whole:.0f} s in all, {settings['seeds']} music{several} a "
            f"motion and system; {settings['duet_count']} duets of each kind, {rate}"
        )
    return lines


def table_html(table: tables.Table) -> str:
    """One table with its heading and note."""
    head = "".join(f"<th>{_text(header)}</th>" for header in table.headers)
    rows = []
    for number, row in enumerate(table.rows):
        kind = " class='quoted'" if number >= len(table.rows) - table.quoted else ""
        rows.append(f"<tr{kind}>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>")
    note = f"<p class='note'>{_text(table.note)}</p>"
    body = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f"<section><h2>{_text(table.title)}</h2>{note}<div class='wide'>{body}</div></section>"


def pictures(results: Results, options: Options) -> dict[str, tuple[bytes, str]]:
    """Name -> PNG and caption, in the order of the report."""
    shown = dance_pictures(results, options) if results.report["systems"] else {}
    return shown if results.music is None else shown | music_pictures.pictures(results.music)


def dance_pictures(results: Results, options: Options) -> dict[str, tuple[bytes, str]]:
    """``pictures`` of dances."""
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
        caption = f"Over {option}, with 95 % intervals; dashed: {report['compared_with']} as it comes."
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
    """The report with those systems alone that were asked for by name."""
    swept = {row["system"] for row in report["sweeps"]}
    return report | {"systems": {name: row for name, row in report["systems"].items() if name not in swept}}


def sheets(danced: dict[str, list[Clip]], most: int) -> dict[str, Clip]:
    """The clips that get a contact sheet: the first of every system with bodies, then the second, ..."""
    found: dict[str, Clip] = {}
    for place in range(most):
        for number, ours in enumerate(danced.values()):
            if place < len(ours) and isinstance(ours[place].made, Motion) and len(found) < most:
                found[f"sheet_{number}_{place}"] = ours[place]
    return found


def _sheet(clip: Clip) -> bytes:
    motion = clip.made
    positions = kinematics.forward(motion.rotations, motion.root)
    found = kinematic_beats(positions, motion.fps).times
    picture = Image.fromarray(contact_sheet(positions, motion.fps, clip.beats.times, found).numpy())
    size = (SHEET_WIDTH, round(picture.height * SHEET_WIDTH / picture.width))
    buffer = BytesIO()
    picture.resize(size, Image.Resampling.LANCZOS).quantize(64).save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def _figure(name: str, picture: bytes, caption: str) -> str:
    data = base64.b64encode(picture).decode()
    inside = f"<img alt='{_text(name)}' src='data:image/png;base64,{data}'>"
    return f"<figure id='{_text(name)}'>{inside}<figcaption>{_text(caption)}</figcaption></figure>"


def _text(value: str | Path) -> str:
    return html.escape(str(value), quote=True)
