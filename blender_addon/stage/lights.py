"""The lit stage: lamps, cloth, floor and costume of a show, keyed where the show changes them.

Every role has lamps along the stage's width, each with the role's light at its place. All of them are spots. A lamp's
power is such that at full level it lights what it is aimed at as ``PLOT`` says, however large the stage is.

All that takes time comes first: seeing the dance, and finding the few keys of the show. The ``Setting`` that comes of
it can be kept, and the stage is built from it at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from ..names import PREFIX, STAGE
from ..scene import dancer
from ..scene.mixing import frame_rate
from ..shared import Show
from . import paint, scenery, tracks
from .animation import Animation
from .camera import following_camera
from .lighting import Lighting, lighting_of
from .played import PLACES
from .scenery import Place
from .setting import Setting
from .weave import Weave

ROLE = f"{PREFIX}role"
"""The custom property that says which role a lamp plays."""

AIM = "Stage follow aim"
"""The name of the empty that the follow spot is aimed at."""
HALF = 4.0
"""How far the stage reaches to either side, in units: as far as ``across`` does in ``core.light``."""
BEHIND = 4.5
"""How far the cloth hangs behind the dance, in units."""
SOFT = 0.12
"""Radius of a lamp, in units: its shadows have soft edges."""
BLEND = 0.6
"""How much of a cone is its soft edge."""
# Degrees of the follow spot's cone, and by how much a spread of 1 widens it.
FOLLOW_CONE = 11.0
FOLLOW_WIDENS = 30.0
CHEST = 1.0
"""Where the follow spot is aimed, in units above the floor."""
SWING = math.radians(12.0)
"""How far beams move to either side."""
AIM_TOLERANCE = 0.02
"""How far the follow spot may be aimed beside the dance, in units."""
WATTS = 4 * math.pi**2
"""Watts of a spot for a radiance of 1 on white, a metre away (a point light of W watts gives W / (4 pi^2 d^2))."""


@dataclass(frozen=True)
class Group:
    """The lamps of a role.

    places: which of ``PLACES`` they stand at.
    bright: radiance of white where they are aimed, at full level.
    cone: degrees.
    stands, aims: right, back and up in units; right is multiplied with the place, and back counts from the end of the
        dance on the side where it points.
    """

    places: tuple[float, ...]
    bright: float
    cone: float
    stands: tuple[float, float, float]
    aims: tuple[float, float, float]


PLOT = {
    "front": Group((-1.0, 0.0, 1.0), 0.8, 38.0, (4.0, -6.5, 5.2), (2.4, 0.0, 1.0)),
    "side": Group((-1.0, 1.0), 3.0, 60.0, (4.6, 0.4, 1.9), (0.0, 0.0, 1.1)),
    "back": Group(PLACES, 2.0, 34.0, (4.4, 3.4, 5.2), (2.2, 0.0, 0.9)),
    "top": Group(PLACES, 1.8, 36.0, (4.0, 0.0, 6.6), (4.0, 0.0, 0.0)),
    "follow": Group((0.0,), 1.4, FOLLOW_CONE, (0.0, -8.0, 6.5), (0.0, 0.0, CHEST)),
    "backdrop": Group(PLACES, 1.6, 120.0, (6.0, BEHIND - 1.3, 0.15), (6.0, BEHIND, 0.9)),
}
"""The light plot."""
CLOTH = Weave("UV", (2 * scenery.FLOOR, scenery.WALL, 0.0), 0, 0.9)
COSTUME = Weave("Generated", (1.7, 0.35, 1.75), 2, 0.16)
"""How patterns lie on the cloth and on the bundled dancer."""
# Radiance of white with a glow of 1: the dancer stands out from the cloth.
CLOTH_GLOW = 0.2
COSTUME_GLOW = 0.3


def set_lit_stage(
    scene: bpy.types.Scene,
    armatures: Sequence[bpy.types.Object],
    frames: tuple[int, int],
    show: Show,
    aspect: float = 16 / 9,
) -> bpy.types.Object:
    """A stage that is lit by a show, in place of a stage that was set before: floor, cloth, lamps of all roles, a
    follow spot and a camera that follow the dance, and costumes for bundled dancers. Returns the camera.

    Arguments as of ``setting_for``.
    """
    return build(scene, armatures, setting_for(scene, armatures, frames, show, aspect))


def setting_for(
    scene: bpy.types.Scene,
    armatures: Sequence[bpy.types.Object],
    frames: tuple[int, int],
    show: Show,
    aspect: float = 16 / 9,
) -> Setting:
    """What the lit stage of a show is built from.

    armatures: those who dance, of any kind and size; without any, the stage is in the middle of the world.
    frames: of the dance; the show begins with them.
    aspect: width of the picture by its height.
    """
    site = scenery.survey(scene, armatures, frames, aspect)
    places = {role: group.places for role, group in PLOT.items()}
    lighting = lighting_of(show, frames[1] - frames[0] + 1, frame_rate(scene), places)
    unit = site.place.unit
    aimed = site.path + np.array((0.0, 0.0, CHEST * unit))
    return Setting(site, lighting, tracks.thinned(aimed, AIM_TOLERANCE * unit))


def build(scene: bpy.types.Scene, armatures: Sequence[bpy.types.Object], setting: Setting) -> bpy.types.Object:
    """Build the lit stage of a setting, in place of a stage that was set before. Returns its camera.

    armatures: those who dance.
    """
    site, lighting = setting.site, setting.lighting
    place, unit = site.place, site.place.unit
    animation = Animation(site.shot.first, lighting.frames)
    with scenery.renewed(scene):
        cloth = scenery.cloth(place, place.reach + BEHIND * unit)
        coat = lighting.coat("backdrop")
        painted = paint.material("Stage cloth", coat, lighting.frames, CLOTH, CLOTH_GLOW, animation)
        cloth.data.materials.append(painted)
        aim = _aim(unit, setting.aim, animation)
        lamps = [lamp for role in PLOT if role != "follow" for lamp in _group(place, role, lighting, animation)]
        follow = _follow_spot(place, aim, lighting, animation)
        _dress(scene, armatures, lighting, animation)
        camera = following_camera(site.shot, unit)
        scenery.assemble(scene, [scenery.bare_floor(place), cloth, *lamps, follow, aim, camera])
        animation.write()
    return camera


def others(scene: bpy.types.Scene) -> list[str]:
    """The names of lamps that are rendered and are not a stage's."""
    return [ob.name for ob in scene.objects if ob.type == "LIGHT" and STAGE not in ob and not ob.hide_render]


def _group(place: Place, role: str, lighting: Lighting, animation: Animation) -> Iterator[bpy.types.Object]:
    group = PLOT[role]
    for number, across in enumerate(group.places):
        stands, aims = (_at(place, across, point) for point in (group.stands, group.aims))
        lamp = _lamp(place, f"Stage {role} {number + 1}", role, stands, aims, math.radians(group.cone))
        _shine(lamp.data, lighting, role, across, (aims - stands).length, animation)
        if role == "back":
            x, y, z = lamp.rotation_euler
            turns = lighting.swing.scaled(SWING if across >= 0 else -SWING, z)
            animation.put(lamp, "rotation_euler", tracks.joined(tracks.steady(x, y), turns))
        yield lamp


def _at(place: Place, across: float, point: tuple[float, float, float]) -> Vector:
    """A place of the light plot in the world."""
    right, back, up = (value * place.unit for value in point)
    wider = max(1.0, place.reach / (HALF * place.unit))
    return Vector(place.at(right * across * wider, back + math.copysign(place.reach, back) * (back != 0), up))


def _lamp(place: Place, name: str, role: str, stands: Vector, aims: Vector, cone: float) -> bpy.types.Object:
    light = bpy.data.lights.new(name, "SPOT")
    light.spot_size, light.spot_blend, light.shadow_soft_size = cone, BLEND, SOFT * place.unit
    lamp = bpy.data.objects.new(name, light)
    lamp[ROLE] = role
    lamp.location = stands
    lamp.rotation_euler = (aims - stands).to_track_quat("-Z", "Y").to_euler()
    return lamp


def _shine(
    light: bpy.types.Light, lighting: Lighting, role: str, place: float, distance: float, animation: Animation
) -> None:
    """Give a lamp its light on every frame: the power is the level, the colour is the rest.

    distance: of what it is aimed at.
    """
    full = PLOT[role].bright * WATTS * distance**2
    animation.put(light, "color", lighting.colour(role, place))
    animation.put(light, "energy", lighting.level(role, place).scaled(full))


def _aim(unit: float, path: tracks.Track, animation: Animation) -> bpy.types.Object:
    """An empty that goes where the dancers are, which the follow spot is aimed at."""
    aim = bpy.data.objects.new(AIM, None)
    aim.empty_display_size = 0.2 * unit
    animation.put(aim, "location", path)
    return aim


def _follow_spot(place: Place, aim: bpy.types.Object, lighting: Lighting, animation: Animation) -> bpy.types.Object:
    group = PLOT["follow"]
    stands, aims = (_at(place, 0.0, point) for point in (group.stands, group.aims))
    lamp = _lamp(place, "Stage follow spot", "follow", stands, aims, math.radians(group.cone))
    lamp.data.spot_blend = 0.25
    cone = lighting.spread.scaled(math.radians(FOLLOW_WIDENS), math.radians(FOLLOW_CONE))
    animation.put(lamp.data, "spot_size", cone)
    _shine(lamp.data, lighting, "follow", group.places[0], (aims - stands).length, animation)
    tracking = lamp.constraints.new("TRACK_TO")
    tracking.target, tracking.track_axis, tracking.up_axis = aim, "TRACK_NEGATIVE_Z", "UP_Y"
    return lamp


def _dress(
    scene: bpy.types.Scene, armatures: Sequence[bpy.types.Object], lighting: Lighting, animation: Animation
) -> None:
    """A costume for the bundled dancers. It hangs on the object; the mesh keeps its own materials."""
    worn = [slot for ob in dancer.dancers(scene) if ob in armatures for slot in dancer.shells(ob)]
    if not worn:
        return
    coat = lighting.coat("costume")
    costume = paint.material("Stage costume", coat, lighting.frames, COSTUME, COSTUME_GLOW, animation)
    costume[STAGE] = True
    for slot in worn:
        slot.link, slot.material = "OBJECT", costume
