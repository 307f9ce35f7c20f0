"""One scene at a time: what the engine made for it, written and saved."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..api import beats, dance, duet, score, theatre, worker
from ..api.target import Target, Written
from ..engine.client import Engine
from ..engine.job import Preparation
from ..errors import UserError
from ..scene import actions, rigs, strips
from ..scene.dancer import add_dancer
from ..shared import protocol, show_channels, show_file
from ..stage import film, lights, scenery, surroundings
from . import dataset, origin
from .command import RATE, Item

RESOLUTION = (1280, 720)

_LONGEST_STEM = 200  # bytes of a name that is made longer, of the 255 that file systems take

_SEEK_TABLE = (0x8F92EAB1).to_bytes(4, "little")
"""The last bytes of a compressed .blend."""

Answer = protocol.DanceDone | protocol.ScoreDone | protocol.DuetDone

Tell = Callable[[str], None]
"""Takes a few words about what is going on."""


@dataclass(frozen=True)
class Made:
    """What was put into a scene.

    frames: the first and the last of it.
    answer: what the engine said.
    warning: what the user should know besides.
    asked: what the engine was asked for, of a dance to a song, or of one with its light.
    """

    frames: tuple[int, int]
    sound: bpy.types.Sound
    answer: Answer
    warning: str
    asked: protocol.DanceRequest | protocol.TheatreRequest | None = None


@dataclass(frozen=True)
class Desk:
    """Where one item is made.

    engine: None where the dance was made before.
    folder: for temporary files, cleared by whoever made it.
    origin: what it is made from, for the result.
    """

    args: argparse.Namespace
    item: Item
    engine: Engine | None
    folder: Path
    tell: Tell
    origin: str

    @property
    def music(self) -> Path:
        """Where music lies until its scene is saved, under the name that it will have."""
        return self.folder / f"{self.item.stem}.wav"

    @property
    def options(self) -> dict:
        """What the command line says of how to make it."""
        chosen = vars(self.args)
        given = {name: chosen[name] for name in ("quality", "steps", "guidance", "style", "beat_snap", "moves")}
        given["free_form"] = chosen["free_form"] or None  # which duets do not know
        return {"seed": self.item.seed} | {name: value for name, value in given.items() if value is not None}

    def answer(self, work: protocol.Request | Preparation) -> protocol.Done:
        """The engine's answer. Raises UserError when it fails."""
        assert self.engine is not None, "the command line asks for nothing that needs it"
        return worker.answer(self.engine, work, lambda stage, done: self.tell(f"{stage} {100 * done:3.0f} %"))


def outputs(item: Item, args: argparse.Namespace) -> dict[str, Path]:
    """Where an item's results go, by what they are: blend, and, where they are asked for, film, music and show; of a
    data set its truth, and its origin, which a .blend keeps itself."""
    if args.dataset:
        return {"truth": args.out / item.stem / dataset.TRUTH, "origin": args.out / item.stem / "origin.json"}
    kinds = {"blend": ".blend"}
    if args.look or (args.theatre and not args.show):
        kinds["show"] = ".show.json"
    if args.render:
        kinds["film"] = ".mp4"
    if args.score or args.duet:
        kinds["music"] = ".wav"
    return {kind: args.out / f"{item.stem}{ending}" for kind, ending in kinds.items()}


def make_blend(desk: Desk) -> str:
    """Make one item and save its scene. Returns the score and what to know in a few words; raises UserError."""
    args, paths = desk.args, outputs(desk.item, desk.args)
    scene, armature = open_scene(args, desk.item)
    if args.lit or not args.own:
        _set_film(desk, scene)
    make = _score if args.score else _duet if args.duet else _dance
    music = paths.get("music")
    kept = {path for path in paths.values() if path.exists()}
    try:
        made = make(desk, scene, armature)
        first, last = made.frames
        if not args.score:
            scene.frame_end = last
            scene.frame_set(first)
        if args.lit or not args.own:
            _set_stage(desk, scene, armature, made)
        if music:
            made.sound.filepath = str(_whole_copy(desk.music, music))
        origin.keep(made.sound, desk.origin)
        save(paths["blend"], made.sound)
    except BaseException:
        if music and music not in kept:
            music.unlink(missing_ok=True)
        raise
    metrics = "  ".join(f"{key} {value:.2f}" for key, value in made.answer.metrics.items())
    detail = "the dance that was given" if args.dance else metrics
    return f"{detail}  warning: {made.warning}" if made.warning else detail


def _set_film(desk: Desk, scene: bpy.types.Scene) -> None:
    """How a scene is filmed. Raises UserError when this Blender has no such render engine."""
    args = desk.args
    size = args.resolution or (film.size(scene) if args.own else RESOLUTION)
    engine = "eevee" if args.lit and args.engine == "drawn" else args.engine  # what looks most like it
    film.set_render(scene, engine, size, f"//{desk.item.stem}.mp4")


def _set_stage(desk: Desk, scene: bpy.types.Scene, armature: bpy.types.Object, made: Made) -> None:
    """The stage around a dance; the theatre's stands already. Raises FootlightError for a show that cannot be made or
    read."""
    args = desk.args
    if not args.lit:
        scene.camera = scenery.set_stage(scene, [armature], made.frames, film.aspect(scene))
    elif not args.theatre:
        show = args.show or outputs(desk.item, args)["show"]
        if args.look:
            _write_show(desk, made, args.look, show)
        scene.camera = lights.set_lit_stage(scene, [armature], made.frames, show_file.read(show), film.aspect(scene))
    _set_tones(scene)


def _set_tones(scene: bpy.types.Scene) -> None:
    surroundings.set_night(scene)
    scenery.set_shading(scene)
    scenery.set_colours(scene)


def _write_show(desk: Desk, made: Made, look: str, out: Path) -> None:
    """Let the engine write the light for a dance to a song. Raises UserError when it fails."""
    assert made.asked is not None and isinstance(made.answer, protocol.DanceDone)
    asked = made.asked
    request = protocol.LightRequest(
        song=asked.song,
        start=asked.start,
        seconds=asked.seconds,
        beats=asked.beats,
        seed=asked.seed,
        motion=made.answer.out,
        look=look,
        out=str(out),
    )
    desk.answer(request)


def make_dataset(desk: Desk) -> str:
    """Photograph one item's dance in random looks. Returns what was made in a few words; raises UserError."""
    args = desk.args
    scene, armature = open_scene(args, desk.item)
    set_frame_rate(scene, show_channels.SHOW_FPS)
    made = _dance(desk, scene, armature)
    _set_tones(scene)
    shows = {}
    for number, look in enumerate(args.look.split(",")):
        path = desk.folder / f"{desk.item.stem}{number}.json"
        _write_show(desk, made, look, path)
        shows[look] = show_file.read(path)
    folder = outputs(desk.item, args)["truth"].parent

    def count(done: int) -> None:
        desk.tell(f"picture {done} of {args.dataset}")

    dataset.photograph(scene, armature, made.frames, shows, args.dataset, desk.item.seed, args.engine, folder, count)
    outputs(desk.item, args)["origin"].write_text(desk.origin, "utf-8")
    return f"{args.dataset} pictures"


def _dance(desk: Desk, scene: bpy.types.Scene, armature: bpy.types.Object) -> Made:
    """A song's dance on the armature, and the song in the sequencer."""
    assert desk.item.source is not None
    source = desk.item.source.absolute()
    song = strips.whole_file(source, scene.frame_start, desk.args.seconds, None if desk.args.dance else desk.folder)
    grid, keys = beats.of_file(Path(desk.args.beats)) if desk.args.beats else None, desk.args.keys
    options = {"grid": grid, "keys": keys, **desk.options}
    if desk.args.dance:
        _check_rate(desk.args.dance, strips.frame_rate(scene))
    if desk.args.theatre:
        target, request = theatre.request(scene, armature, song, desk.folder, **_with_light(desk), **options)
    else:
        target, request = dance.request(scene, armature, song, desk.folder, **options)
    if desk.args.dance and not desk.args.theatre:
        out, frames = str(desk.args.dance), target.frames or 0
        answer = protocol.DanceDone(
            out=out, frames=frames, fps=target.fps, metrics={}, beats=(), downbeats=(), tempo=0.0
        )
    else:
        answer = desk.answer(request)
        assert isinstance(answer, protocol.DanceDone)
    written = theatre.write(target, answer) if isinstance(answer, protocol.TheatreDone) else dance.write(target, answer)
    assert written.action is not None
    strip = strips.add_song(scene, source, target.first)
    frames = target.first, int(written.action.frame_range[1])
    return Made(frames, strip.sound, answer, written.warning, request)


def _with_light(desk: Desk) -> dict:
    """What the command line says of a dance that is made with its light."""
    args = desk.args
    return {
        "out_light": outputs(desk.item, args).get("show"),
        "look": args.look,
        "accent": args.accent,
        "motion": args.dance,
        "light": args.show,
    }


def _check_rate(path: Path, fps: float) -> None:
    """Raises UserError when a dance has other frames a second than the scene."""
    told = actions.read_dance(path).get("fps")
    if told is None or float(told) != fps:
        shown = "unknown" if told is None else f"{float(told):g}"
        raise UserError(f"{path} has {shown} frames a second, the scene {fps:g}; give the same by --fps")


def _score(desk: Desk, scene: bpy.types.Scene, armature: bpy.types.Object) -> Made:
    """Music for the armature's animation over the scene's range, in the sequencer."""
    target, reading = score.request(scene, armature, desk.folder, music_file=desk.music, **desk.options)
    answer = desk.answer(reading)
    assert isinstance(answer, protocol.ScoreDone)
    return _with_music(target, score.write(target, answer), answer)


def _duet(desk: Desk, scene: bpy.types.Scene, armature: bpy.types.Object) -> Made:
    """A dance on the armature and its music in the sequencer."""
    target, request = duet.request(
        scene, armature, desk.folder, desk.args.duet, music_file=desk.music, keys=desk.args.keys, **desk.options
    )
    answer = desk.answer(request)
    assert isinstance(answer, protocol.DuetDone)
    return _with_music(target, duet.write(target, answer), answer)


def _with_music(target: Target, written: Written, answer: Answer) -> Made:
    assert target.frames is not None and written.strip is not None
    last = target.first + target.frames - 1
    return Made((target.first, last), written.strip.sound, answer, written.warning)


def set_frame_rate(scene: bpy.types.Scene, fps: float) -> None:
    """Whole rates as they are, broadcast rates as n / 1.001."""
    whole = max(1, round(fps))
    scene.render.fps = whole
    broadcast = abs(fps * 1.001 - whole) < 1e-2 and abs(fps - whole) > 1e-3
    scene.render.fps_base = 1.001 if broadcast else whole / fps


def open_scene(args: argparse.Namespace, item: Item) -> tuple[bpy.types.Scene, bpy.types.Object]:
    """The user's scene and armature, or an empty one with the bundled dancer. Raises UserError."""
    if not args.own:
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        scene = bpy.context.scene
        set_frame_rate(scene, args.fps or RATE)
        scene.sync_mode = "AUDIO_SYNC"  # or playing it would show another beat than is heard
        return scene, add_dancer(bpy.context)
    blend = args.blend or item.source
    assert blend is not None
    bpy.ops.wm.open_mainfile(filepath=str(blend.absolute()), load_ui=False)
    scene = bpy.context.scene
    armatures = [ob for ob in scene.objects if ob.type == "ARMATURE"]
    known = [ob for ob in armatures if rigs.fits(ob)] or armatures
    named = [ob for ob in armatures if ob.name == args.armature] if args.armature else known
    if len(named) != 1:
        names = ", ".join(ob.name for ob in armatures) or "none"
        raise UserError(f"{blend.name}: which armature is meant? Give --armature; there are: {names}")
    if args.render and scene.camera is None and not args.lit:
        raise UserError(f"{blend.name}: the scene {scene.name!r} has no camera to film with; add one")
    return scene, named[0]


def partial_of(path: Path) -> Path:
    """Where a result lies until it is whole: beside it, by a name that another run does not use, and that is not too
    long where the result's is not.
    """
    stem = path.stem.encode()[:_LONGEST_STEM].decode(errors="ignore")
    return path.with_name(f".{stem}{path.suffix}.{os.getpid()}.part")


def save(blend: Path, sound: bpy.types.Sound) -> None:
    """Save the file whole or not at all, the song's path relative to it, so that their folder can be moved."""
    partial = partial_of(blend).with_suffix(".part.blend")
    with contextlib.suppress(ValueError):  # on another drive of Windows: the path stays whole
        # relative to the file that is open, which saving puts right, or where there is none to the one to come
        sound.filepath = bpy.path.relpath(sound.filepath, start=None if bpy.data.filepath else str(blend.parent))
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(partial), compress=True, check_existing=False)
        if not _ends_as_saved(partial):
            raise UserError(f"{blend.name} could not be saved whole. Free some space on the disk of {blend.parent}.")
        partial.replace(blend)
    finally:
        partial.unlink(missing_ok=True)


def _ends_as_saved(blend: Path) -> bool:
    """Whether a compressed .blend is whole: Blender says that it saved even where the disk was full.

    Its end is a seek table (Zstandard Seekable Format), and the end of that is a magic number.
    """
    with blend.open("rb") as file:
        file.seek(-min(len(_SEEK_TABLE), blend.stat().st_size), os.SEEK_END)
        return file.read() == _SEEK_TABLE


def _whole_copy(made: Path, path: Path) -> Path:
    """The file at ``made`` also at ``path``, whole or not at all."""
    partial = partial_of(path)
    try:
        shutil.copyfile(made, partial)
        return partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
