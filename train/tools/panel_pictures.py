"""The pictures of the panel and of the first dance: ``python -m train.tools.panel_pictures --blender COMMAND``.

Opens the real Blender in a window of its own settings, drags the extension's zip into it and goes through the first
dance, as ``tour.py`` does inside Blender. Then it cuts the pictures out, makes them small and writes them to
docs/images. A dance is really made, by the environment that runs this.

COMMAND opens Blender: its path where there is a display, else for example "xvfb-run -a blender". In it, {picture} and
{seconds} stand for a file and a time, for commands that want them. FOOTLIGHT_WINDOW says it too.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from core.errors import FootlightError
from train.command import run_program
from train.demo.song import write_demo_song
from train.tools.build_extension import build

TOUR = Path(__file__).with_name("tour.py")
SECONDS = 900  # at most
SONG = "Evening.ogg"  # the song's name is in the pictures
SONG_SECONDS = 180.0  # long enough for its first seconds to be seen before the rest is made
CHARACTER_SECONDS = 30.0  # of the song for a character, whose keys are to be seen
EDGE = 8  # pixels of a region's rounded corners
WIDTH = 960  # pixels of a picture of the whole window
COLOURS = (256, 128, 64)  # tried in turn
VIVID = 30  # of 255, between the strongest and the weakest of red, green and blue
HEAVIEST = 120_000  # bytes of a picture


@dataclass(frozen=True)
class PanelPictures:
    """Take the pictures of the panel."""

    blender: str = os.environ.get("FOOTLIGHT_WINDOW", "blender")  # the command that opens Blender
    out: Path = Path("docs/images")  # the pictures' folder
    character: Path | None = None  # an FBX file: the pictures of its dance are taken, and not those of the first dance
    only: tuple[str, ...] = ()  # the names of some pictures; all otherwise
    keep: Path | None = None  # a folder for whole screens, to look at


def main(args: PanelPictures) -> list[Path]:
    """Take the pictures. Returns their files. Raises FootlightError."""
    with tempfile.TemporaryDirectory(prefix="footlight-pictures-") as name:
        folder = args.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        taken = tour(args.blender, folder.absolute(), args.character)
        args.out.mkdir(parents=True, exist_ok=True)
        made = []
        for picture in taken:
            if not args.only or picture["name"] in args.only:
                path = args.out / f"{picture['name']}.png"
                small(cut(whole_window(picture), picture.get("box")), path)
                print(f"{path}  {path.stat().st_size / 1000:.0f} KB")
                made.append(path)
    return made


def tour(blender: str, folder: Path, character: Path | None = None) -> list[dict]:
    """Let Blender go through the first dance. Returns its pictures, each by name and file.

    box: of a part of the window: left, upper, right, lower, in pixels.
    window: of a picture of the whole screen: left, lower, width, height.
    """
    song, report = folder / SONG, folder / "report.json"
    seconds = CHARACTER_SECONDS if character else SONG_SECONDS
    write_demo_song(song, seconds)
    asked = {
        "zip": str(build(folder)),
        "song": str(song),
        "seconds": seconds,
        "folder": str(folder),
        "python": sys.executable,
        "character": str(character.absolute()) if character else "",
    }
    (folder / "tour.json").write_text(json.dumps(asked))
    report.unlink(missing_ok=True)
    command = shlex.split(blender.format(picture=folder / "screen.png", seconds=SECONDS))
    command += ["--window-geometry", "0", "0", "1400", "900", "--enable-event-simulate"]
    command += ["--python", str(TOUR), "--", str(folder / "tour.json")]
    (folder / "blender").mkdir(exist_ok=True)
    environment = dict(os.environ, BLENDER_USER_RESOURCES=str(folder / "blender"))
    for name in ("FOOTLIGHT_PYTHON", "FOOTLIGHT_MODEL"):
        environment.pop(name, None)
    answer = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    told = json.loads(report.read_bytes()) if report.is_file() else None
    if told is None or "failed" in told:
        said = answer.stdout[-2000:] if told is None else told["failed"]
        raise FootlightError(f"Blender did not come to the end of its tour: {said}")
    return told["pictures"]


def whole_window(told: dict) -> Image.Image:
    """Blender's window. Its place on the screen is counted from the lower left."""
    picture = Image.open(told["file"]).convert("RGB")
    if "window" not in told:
        return picture
    x, y, width, height = told["window"]
    return picture.crop((x, picture.height - y - height, x + width, picture.height - y))


def cut(picture: Image.Image, box: list[int] | None) -> Image.Image:
    """A part of a picture, without the empty rows at its lower end; the whole, at ``WIDTH``, without a box."""
    if box is None:
        return picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
    left, upper, right, lower = box
    part = picture.crop((left, upper, right, lower - EDGE))
    rows = np.asarray(part).astype(int)[:, : part.width - 30]  # at the right are the tabs
    busy = np.flatnonzero(np.abs(rows - rows[-1:]).max(axis=(1, 2)) > 12)
    return part.crop((0, 0, part.width, min(part.height, int(busy[-1]) + 12))) if len(busy) else part


def small(picture: Image.Image, path: Path) -> None:
    """Write a picture in few colours. Raises FootlightError when it is too heavy all the same."""
    for colours in COLOURS:
        picture.quantize(palette=palette(picture, colours), dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size < HEAVIEST:
            return
    raise FootlightError(f"{path} has {path.stat().st_size / 1000:.0f} KB; take a smaller part of the window")


def palette(picture: Image.Image, colours: int) -> Image.Image:
    """So many colours for a picture. A fourth of them is for what is no grey, however little of it there is: few pixels
    of Blender's window are blue, but they are the buttons."""
    pixels = np.asarray(picture).reshape(-1, 3)
    vivid = np.ptp(pixels.astype(int), axis=1) > VIVID
    chosen: list[int] = []
    for some, count in ((pixels[vivid], colours // 4), (pixels[~vivid], colours - colours // 4)):
        if len(some):
            found = Image.fromarray(some[None]).quantize(count).getpalette()
            chosen += (found or [])[: 3 * count]
    made = Image.new("P", (1, 1))
    made.putpalette(chosen + chosen[:3] * (256 - len(chosen) // 3))
    return made


if __name__ == "__main__":
    run_program("train.tools.panel_pictures", main, PanelPictures, __doc__)
