"""What Blender itself makes of sound: the mixdown of a scene, and files that Blender alone decodes."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import bpy
import numpy as np

from ..errors import UserError
from ..shared import protocol
from . import versions
from .apart import copied

MIX_RATE = 48_000
PATIENCE = 120.0
SILENCE = 10 ** (-70 / 20)  # of full scale, as for the engine
FLOAT = 3  # the number of the codec in a WAV
WAV_HEADER = 4096  # bytes, within which the sound begins


def frame_rate(scene: bpy.types.Scene) -> float:
    """The frames per second at which a scene really plays: 29.97 is 30 / 1.001."""
    return scene.render.fps / scene.render.fps_base


def mixdown(
    scene: bpy.types.Scene, folder: str | Path, first: int, end: int, only: str = "", *, inside: bool = False
) -> Path:
    """What Blender plays on the frames from ``first`` to before ``end``, as a file in ``folder``.

    A copy of the scene is mixed, so that the user's own keeps its frame range and its strips' mute switches.

    only: the name of the one strip that shall be heard, muted or not.
    inside: whether the sequencers behind scene strips are heard where Blender shows a camera and plays no sound.

    Raises UserError where Blender does not finish it.
    """
    path = Path(folder) / "All Sound.wav" if not only else Path(folder) / "strip.wav"
    path.unlink(missing_ok=True)
    with copied(scene, objects=not only) as copy:
        editor = copy.sequence_editor
        if only:
            _solo(editor, only)
        for strip in editor.strips_all if editor and inside else ():
            if strip.type == "SCENE":
                strip.scene_input = "SEQUENCER"
        if first < 0:  # a scene's frame range cannot begin below 0
            for strip in editor.strips if editor else ():
                versions.move(strip, -first)
            first, end = 0, end - first
        copy.frame_start, copy.frame_end = first, end - 1
        scenes = {"scene": copy}
        if hasattr(bpy.context, "sequencer_scene"):
            scenes["sequencer_scene"] = copy
        with bpy.context.temp_override(**scenes):
            bpy.ops.sound.mixdown(
                filepath=str(path),
                check_existing=False,
                relative_path=False,
                container="WAV",
                codec="PCM",
                format="S16",
                mixrate=MIX_RATE,
                channels="MONO",
            )
        _wait_for(path, int((end - first) / frame_rate(scene) * MIX_RATE) * 2)
    return path


def is_silent(path: Path) -> bool:
    """Whether nothing can be heard in a mixdown."""
    with open(path, "rb") as file:
        begin = file.read(WAV_HEADER).index(b"data") + 8
    samples = np.fromfile(path, "<i2", offset=begin)
    return not len(samples) or max(abs(int(samples.min())), abs(int(samples.max()))) < SILENCE * 2**15


def decode(path: Path, folder: str | Path, seconds: float | None = None) -> Path:
    """The sound of a file that Blender decodes and the engine does not, as a file in ``folder``.

    seconds: only its first.

    Raises UserError where Blender cannot decode it either.
    """
    try:
        import aud
    except ImportError:
        raise UserError(
            f"{path} needs Blender's own decoder, which this Blender was built without. Convert it to "
            f"{protocol.SONG_FILES}."
        ) from None
    try:
        sound = aud.Sound.file(str(path))
        rate = int(sound.specs[0])
        samples = (sound if seconds is None else sound.limit(0, seconds)).data()
    except aud.error as error:
        raise UserError(
            f"Neither the engine nor Blender can read {path} as sound ({str(error).rstrip('.')}). Give a "
            f"{protocol.SONG_FILES} file."
        ) from None
    out = Path(folder) / f"{path.stem}.wav"
    with out.open("wb") as file:
        file.write(_float_header(samples.shape, rate))
        samples.astype("<f4", copy=False).tofile(file)
    return out


def _float_header(shape: tuple[int, int], rate: int) -> bytes:
    """The head of a WAV with floats (frames, channels)."""
    frames, channels = shape
    size = min(4 * frames * channels, 2**32 - 1)  # the engine reads to the end of one that is longer
    fmt = struct.pack("<HHIIHH", FLOAT, channels, rate, 4 * channels * rate, 4 * channels, 32)
    whole = min(size + 36, 2**32 - 1)
    head = struct.pack("<4sI4s4sI", b"RIFF", whole, b"WAVE", b"fmt ", len(fmt))
    return head + fmt + struct.pack("<4sI", b"data", size)


def _solo(editor: bpy.types.SequenceEditor, name: str) -> None:
    """Mute everything but one strip and the meta strips that it lies in."""
    strip = next(strip for strip in editor.strips_all if strip.name == name)
    heard = {name}
    while strip is not None:
        heard.add(strip.name)
        parent = strip.parent_meta()
        (parent or editor).channels[strip.channel].mute = False
        strip = parent
    for strip in editor.strips_all:
        strip.mute = strip.name not in heard


def _wait_for(path: Path, size: int) -> None:
    """Until the mixdown is whole: some versions of Blender write it after the operator has returned."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if path.exists() and os.path.getsize(path) >= size:
            with open(path, "rb") as file:
                head = file.read(8)
            if len(head) == 8 and struct.unpack("<I", head[4:])[0] + 8 == os.path.getsize(path):
                return
        time.sleep(0.05)
    raise UserError("Blender did not finish mixing the scene's sound. Check that its files can be played.")
