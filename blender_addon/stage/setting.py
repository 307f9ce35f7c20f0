"""What a lit stage is built from, which is kept so that the stage is there at once the next time."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ..scene import staging
from ..scene.mixing import frame_rate
from . import tracks
from .camera import Shot
from .lighting import Lighting
from .scenery import Place, Site
from .tracks import Track

FORMAT = 1
"""Goes up when the same dance and the same show give another setting."""
LOOKS = 16
"""How many values are looked at of a curve that turns something."""
_AIM = "aim"
_BONES = "pose.bones["


@dataclass(frozen=True)
class Setting:
    """What a lit stage is built from.

    site: where it stands, and how the dance is filmed.
    lighting: of the show.
    aim: the place that the follow spot is aimed at, in the world.
    """

    site: Site
    lighting: Lighting
    aim: Track


def signature(
    scene: bpy.types.Scene, armatures: Sequence[bpy.types.Object], frames: tuple[int, int], aspect: float, show: bytes
) -> str:
    """What a setting depends on, in short: the dances as they are keyed, where the dancers are, the frames and the
    show. Other things in the scene do not count.

    Arguments as of ``lights.setting_for``, but show is its file, or whatever tells it from others.
    """
    bpy.context.view_layer.update()
    told = [f"{FORMAT} {frames} {frame_rate(scene):.6g} {aspect:.6g} {zlib.crc32(show)}"]
    told += sorted(_stance(ob) for ob in armatures)
    return f"{zlib.crc32(' '.join(told).encode()):08x}"


def packed(setting: Setting, told: str) -> bytes:
    """A setting in a few hundred kilobytes at most. told: its ``signature``."""
    site = setting.site
    place, shot = site.place, site.shot
    arrays = {
        **tracks.packed({**setting.lighting.tracks, _AIM: setting.aim}),
        "middle": place.middle,
        "front": place.front,
        "sizes": np.array((place.reach, place.unit, shot.distance)),
        "frames": np.array((shot.first, setting.lighting.frames)),
        "path": site.path.astype(np.float32),
        "axes": np.stack((shot.right, shot.up, shot.ahead)),
        "away": shot.places[0] - site.path[0],
        "told": np.array(told),
    }
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def unpacked(data: bytes, told: str) -> Setting | None:
    """The setting that was packed; None where its signature was another one, or it is damaged."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as found:
            if found["told"].item() != told:
                return None
            arrays = dict(found)
        reach, unit, distance = arrays["sizes"].tolist()
        first, frames = arrays["frames"].tolist()
        path = arrays["path"].astype(float)
        right, up, ahead = arrays["axes"]
        shot = Shot(first, path + arrays["away"], right, up, ahead, distance)
        moved = tracks.unpacked(arrays)
        aim = moved.pop(_AIM)
    except (ValueError, KeyError, OSError, EOFError, TypeError, zipfile.BadZipFile, zlib.error):
        return None
    place = Place(arrays["middle"], arrays["front"], reach, unit)
    return Setting(Site(place, path, shot), Lighting(frames, moved), aim)


def _stance(ob: bpy.types.Object) -> str:
    """How an armature stands and what it dances, as text. Where its own action moves it, that says where it is."""
    action = staging.dance_of(ob)
    bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags] if action else []
    digest, carried = 0, False
    for curve in (curve for bag in bags for curve in bag.fcurves):
        digest = zlib.crc32(f"{curve.data_path} {curve.array_index}".encode(), digest)
        digest = zlib.crc32(_seen(curve).data, digest)
        carried |= not curve.data_path.startswith(_BONES)
    above = ob.parent if carried else ob
    stands = np.array(above.matrix_world if above else np.eye(4)).round(4) + 0.0  # no negative zeros
    return f"{ob.name_full} {digest} {stands.tolist()}"


def _seen(curve: bpy.types.FCurve) -> np.ndarray:
    """Numbers that tell a curve from others, as far as a stage can see it: of one that moves something from place to
    place all keys, of another one a few values, for reading every key takes a moment."""
    keys = curve.keyframe_points
    if curve.data_path.endswith("location"):
        points = np.empty(2 * len(keys), np.float32)
        keys.foreach_get("co", points)
        return points
    first, last = curve.range()
    return np.array([len(keys), *map(curve.evaluate, np.linspace(first, last, LOOKS))], np.float32)
