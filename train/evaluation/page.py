"""The report as one HTML file of tables, notes and pictures that can be read offline and printed."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from core.files import write_atomically
from train.evaluation.dance import pictures as dance_pictures
from train.evaluation.dance import tables
from train.evaluation.music import pictures as music_pictures
from train.evaluation.music import tables as music_tables
from train.evaluation.options import Options
from train.evaluation.run import Results

FIRST = ("bars", "differences")  # below the first table
TEMPLATES = Environment(
    loader=PackageLoader("train.evaluation"),
    autoescape=True,  # names of systems, songs and styles are the user's
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Figure:
    """A picture in the page.

    data: the PNG as base64.
    """

    name: str
    data: str
    caption: str


def write(results: Results, options: Options) -> None:
    """Write report.html, and its pictures once more as files in OUT/figures."""
    folder = options.out / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    shown = pictures(results, options)
    for name, (picture, _) in shown.items():
        write_atomically(folder / f"{name}.png", picture)
    write_atomically(options.out / "report.html", page(results.report, shown).encode())


def page(report: dict, shown: dict[str, tuple[bytes, str]]) -> str:
    """The whole document.

    shown: name -> PNG and caption.
    """
    music = report.get("music", {})
    drawn = [Figure(name, base64.b64encode(png).decode(), caption) for name, (png, caption) in shown.items()]
    return TEMPLATES.get_template("report.html.j2").render(
        extent=_extent(report),
        compared=[report["systems"], music.get("systems", {}), music.get("duets", {})],
        failures=report["failures"],
        tables=[*tables.everything(report), *music_tables.everything(report)],
        first_figures=[figure for name in FIRST for figure in drawn if figure.name == name],
        figures=[figure for figure in drawn if figure.name not in FIRST],
        songs=report["songs"],
    )


def _extent(report: dict) -> list[str]:
    """How much the figures rest on, one line each for dances and music."""
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
            f"{len(music['scenes'])} held-out motions, {whole:.0f} s in all, {settings['seeds']} score{several} a "
            f"motion and system; {settings['duet_count']} duets of each kind, {rate}"
        )
    return lines


def pictures(results: Results, options: Options) -> dict[str, tuple[bytes, str]]:
    """Name -> PNG and caption, in the order of the report."""
    shown = dance_pictures.pictures(results, options) if results.report["systems"] else {}
    return shown if results.music is None else shown | music_pictures.pictures(results.music)
