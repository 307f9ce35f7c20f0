"""What the user chooses, kept in the scene."""
# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from . import environment, model, names, styles
from .api import takes as lit
from .key_props import FootlightKeys
from .light_props import FootlightLight
from .menu_props import Item, items, stored_menu
from .scene import inverse, songs, strips, takes, travelling
from .shared import mapping, protocol


def _strip_names(self: FootlightSettings, _context: bpy.types.Context, _typed: str) -> list[str]:
    return [strip.name for strip in strips.sound_strips(self.id_data)]


def _follow_strip(self: FootlightSettings, _context: bpy.types.Context) -> None:
    songs.mark(self.id_data, self.strip)


def _get_song(self: FootlightSettings) -> str:
    meant = songs.state(self.id_data, self.strip).strip
    return meant.name if meant else self.strip


def _set_song(self: FootlightSettings, name: str) -> None:
    self.strip = name


NORMAL_FOLLOW = 3.0
"""The place of *Follow the Music* that stands for what the model was tuned for."""

MOST_TAKES = 16
"""So many dances are made at once at most."""

OWN_CHOICE = "OWN"
"""The identifier that stands for no style."""

_shown: dict[tuple[tuple[str, ...], bool], list[Item]] = {}
"""The menus of styles, by the model's styles. Blender draws a menu from strings that it does not keep."""

NO_STYLE = {
    False: ("Any Style", "Footlight picks a style for each seed. Music follows the movement"),
    True: ("Nothing", "The first style alone"),
}
"""The first entry of the menu, and of that of what is mixed in."""


def _style_items(second: bool) -> list[Item]:
    """second: of the menu of what is mixed in."""
    known = model.facts(environment.model_folder()).styles
    if (known, second) not in _shown:
        first = (OWN_CHOICE, *NO_STYLE[second])
        _shown[known, second] = items([first, *((name, styles.label(name), styles.about(name)) for name in known)])
    return _shown[known, second]


def _style_menu(stored: str, name: str, description: str, second: bool = False) -> EnumProperty:
    """A menu of the model's styles. second: of what is mixed in. Another model has other styles, or the same ones in
    another order."""
    return stored_menu(stored, name, description, lambda: _style_items(second))


def _number(kind: type, field: str, name: str, description: str, **further: Any) -> IntProperty | FloatProperty:
    """A property with the bounds and the default of a request's field. further: for its widget."""
    rule, default = protocol.rule(kind, field), protocol.default(kind, field)
    assert rule.least is not None and rule.most is not None, "a field's slider has two ends"
    whole = protocol.plain_type(kind, field) is int
    return (IntProperty if whole else FloatProperty)(
        name=name,
        description=description,
        min=rule.least,
        max=min(rule.most, names.LARGEST_INT) if whole else rule.most,
        default=default,
        **further,
    )


PARTS = (
    ("all", "All", "The whole body"),
    ("upper", "Upper Body", "Torso, head and arms. The legs and the way over the floor stay"),
    ("lower", "Lower Body", "The legs with the hips, and the way over the floor"),
    ("arms", "Arms", "Both arms"),
    ("left arm", "Left Arm", "From the collar bone to the hand"),
    ("right arm", "Right Arm", "From the collar bone to the hand"),
    ("head", "Head", "Head and neck"),
    ("torso", "Torso", "The spine"),
)
"""What can be made anew, as ``core.edits.parts`` reads it."""

STYLE_MOVES = "STYLE"
"""The identifier that stands for moves as dancers of the style repeat them. Any other is a pattern of the engine."""

MOVES = (
    (
        STYLE_MOVES,
        "By Style",
        "As dancers of the style do: once each in Modern, four times each in Lock, between that in others",
    ),
    ("AAAA", "Four Times Each", "A A A A: every move comes four times before the next one"),
    ("AABB", "Twice Each", "A A B B: every move comes twice before the next one"),
    ("AABC", "Twice, Then Two Others", "A A B C: a move comes twice, then two others come once"),
    ("ABCD", "Once Each", "A B C D: every move is new, and comes again only with its part of the song"),
)
"""How moves of two bars can be repeated."""


def _get_percent(self: FootlightSettings) -> int:
    return round(100 * self.style_mix)


def _set_percent(self: FootlightSettings, percent: int) -> None:
    self.style_mix = percent / 100


def _is_armature(_self: bpy.types.PropertyGroup, ob: bpy.types.Object) -> bool:
    return ob.type == "ARMATURE"


def _is_mesh(_self: bpy.types.PropertyGroup, ob: bpy.types.Object) -> bool:
    return ob.type == "MESH"


def _is_curve(_self: bpy.types.PropertyGroup, ob: bpy.types.Object) -> bool:
    return ob.type == "CURVE"


def _bone_names(self: FootlightBones, _context: bpy.types.Context, _typed: str) -> list[str]:
    return [mapping.NOT_THERE, *self.id_data.data.bones.keys()]


def _bone_choice(words: str) -> StringProperty:
    return StringProperty(
        name=words[0].upper() + words[1:],
        description=f"The bone that is the {words}. Empty: as found. A dash ({mapping.NOT_THERE}): there is none",
        search=_bone_names,
        override={"LIBRARY_OVERRIDABLE"},
    )


def _bones_menu(name: str, description: str, *items: tuple[str, str, str]) -> EnumProperty:
    return EnumProperty(name=name, description=description, items=items, override={"LIBRARY_OVERRIDABLE"})


class FootlightBones(bpy.types.PropertyGroup):
    """Which bones the user says are which, by our joints; empty where they are found."""

    __annotations__ = {joint: _bone_choice(words) for joint, words in mapping.WORDS.items()} | {
        "travel": _bones_menu(
            "Travel",
            "What carries the dancer about the floor",
            (travelling.HIPS, "Hips", "The hips, as in motion capture"),
            (travelling.ROOT, "Root", "The bone above all others, as games want it. The hips only go up and down"),
            (travelling.OBJECT, "Object", "The armature's object. The hips only go up and down"),
        ),
        "floor": PointerProperty(
            name="Floor",
            description=(
                "The object that the dancer stands on: a stage, a ramp, a ground with hills. Empty: the floor that it "
                "stands on in its rest pose"
            ),
            type=bpy.types.Object,
            poll=_is_mesh,
            override={"LIBRARY_OVERRIDABLE"},
        ),
        "keys": _bones_menu(
            "Keys On",
            "Which controls of arms and legs get the keys on a control rig",
            (inverse.FK, "FK", "The controls of each bone, which keep the dance exactly"),
            (inverse.IK, "IK", "Hands, feet and poles, so that feet are easy to edit"),
        ),
        "stance": StringProperty(
            name="Rest Pose",
            description="The pose that it stands in, where that is not its rest pose",
            options={"HIDDEN"},
            override={"LIBRARY_OVERRIDABLE"},
        ),
    }


def _get_take(self: FootlightTakes) -> int:
    action = takes.shown(self.id_data)
    return -1 if action is None else next((i for i, one in enumerate(bpy.data.actions) if one == action), -1)


def _set_take(self: FootlightTakes, index: int) -> None:
    if 0 <= index < len(bpy.data.actions):
        armature, scene = self.id_data, bpy.context.scene
        takes.show(armature, bpy.data.actions[index])
        if scene is not None and armature.name in scene.objects and scene.is_editable:
            lit.follow(scene, armature)


def _get_take_name(self: bpy.types.Action) -> str:
    return takes.label(self)


def _set_take_name(self: bpy.types.Action, label: str) -> None:
    takes.rename(self, label)


ABOUT_TAKE = (
    "A click shows the take, a double click renames it. Beside it stands how well it is on the beat, and how many "
    'steps it takes a second. "Strikes 2.1" is a dance that strikes on beats: it moves 2.1 times as much on strong ones'
)

TAKE_NAME = StringProperty(name="Take", description=ABOUT_TAKE, get=_get_take_name, set=_set_take_name)
"""Of an action."""


class FootlightTakes(bpy.types.PropertyGroup):
    """Which dances are a dancer's takes, kept with its armature."""

    dancer: StringProperty(options={"HIDDEN"}, override={"LIBRARY_OVERRIDABLE"})
    shown: IntProperty(
        name="Take",
        description=ABOUT_TAKE,
        get=_get_take,
        set=_set_take,
        override={"LIBRARY_OVERRIDABLE"},
    )


class FootlightSettings(bpy.types.PropertyGroup):
    source: EnumProperty(
        name="Song",
        description="Which sound the dance is for",
        items=(
            ("STRIP", "One Song", "One sound strip of the sequencer: the part of it that is heard"),
            ("MIX", "All Sound", "Everything that is heard in the scene's frame range, from scene strips too"),
        ),
    )
    strip: StringProperty(
        name="Song",
        description="The sound strip to dance to. It may stay empty where there is only one",
        search=_strip_names,
        update=_follow_strip,
    )
    song: StringProperty(
        name="Song",
        description="The sound strip to dance to: the chosen one, or the one that is meant as long as none is chosen",
        search=_strip_names,
        get=_get_song,
        set=_set_song,
    )
    dancer: PointerProperty(
        name="Dancer",
        description="Who dances, or has music made. Empty: the active armature, or the scene's only one",
        type=bpy.types.Object,
        poll=_is_armature,
    )
    seed: _number(
        protocol.Sampling,
        "seed",
        "Seed",
        "The same seed makes the same dance again, to the same song with the same settings. Another seed makes another "
        "dance",
    )
    takes: IntProperty(
        name="Takes",
        description="How many dances are made at once, with this seed and the next ones, to choose from",
        min=1,
        max=MOST_TAKES,
        default=1,
    )
    style_name: StringProperty(options={"HIDDEN"})
    style_second_name: StringProperty(options={"HIDDEN"})
    style: _style_menu("style_name", "Style", "What kind of dance it is")
    style_second: _style_menu("style_second_name", "Mix In", "A second style that is mixed into the first", second=True)
    style_mix: FloatProperty(
        name="Mix",
        description="How much of the second style there is: 0 is all the first, 1 all the second",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
    )
    style_percent: IntProperty(
        name="Share",
        description="How much of the second style there is",
        min=0,
        max=100,
        subtype="PERCENTAGE",
        get=_get_percent,
        set=_set_percent,
    )
    edit_range: EnumProperty(
        name="Range",
        description="Which frames are made anew",
        items=(
            ("PREVIEW", "Preview Range", "The preview range of the timeline (P in the timeline sets it)"),
            ("COUNTS", "Counts", 'Bars, eights or seconds of the song, such as "bars 17:20"'),
        ),
        default="PREVIEW",
    )
    edit_counts: StringProperty(
        name="Counts",
        description='Such as "bars 17:20", "the third eight", or seconds of the song, 12.5:20',
        default="bars 1:4",
    )
    edit_joints: EnumProperty(
        name="Body",
        description="What is made anew. Everything else stays as it is",
        items=PARTS,
        default="all",
    )
    edit_keep_keys: BoolProperty(
        name="Keep My Keys",
        description="The poses at the selected keys of the range stay exactly, and the dance is made around them",
    )
    edit_path: PointerProperty(
        name="Path",
        description="A curve on the floor that is followed from its start to its end, over the whole range",
        type=bpy.types.Object,
        poll=_is_curve,
    )
    edit_facing: EnumProperty(
        name="Facing",
        description="Where the dancer looks on the path",
        items=(
            ("along", "Along It", "Where the path goes"),
            ("kept", "Free", "Wherever the dance turns"),
        ),
    )
    edit_variation: _number(
        protocol.DanceRequest,
        "variation",
        "Variation",
        "From a little different to anew. Another seed is another try",
        subtype="FACTOR",
    )
    score_range: EnumProperty(
        name="Range",
        description="Which frames the music is for",
        items=(
            ("ACTION", "Action Range", "As long as the dancer's action and NLA strips", "NONE", 1),
            ("SCENE", "Scene Range", "From the scene's first frame to its last", "NONE", 0),
        ),
        default="ACTION",
    )
    duet_seconds: _number(
        protocol.DuetOptions,
        "seconds",
        "Length",
        "How long the dance and its music are",
        step=100,
        precision=1,
        subtype="TIME_ABSOLUTE",
    )
    fine: BoolProperty(
        name="Fine",
        description=(
            "Ask the slow model from which the fast one has learnt. A dance takes several times as long. It is "
            "another dance, and hardly a better one"
        ),
        default=False,
    )
    follow: FloatProperty(
        name="Follow the Music",
        description=(
            "Higher is tighter on the beat and livelier; 3 is normal. For music: how closely it follows the movement"
        ),
        min=1.0,
        max=6.0,
        default=NORMAL_FOLLOW,
        step=50,
        precision=1,
    )
    beat_snap: _number(
        protocol.Dancing,
        "beat_snap",
        "Beat Snap",
        "How far movements are shifted onto the nearest beat: 0 as danced, 1 exactly",
        subtype="FACTOR",
    )
    free_form: BoolProperty(
        name="Free Form",
        description=(
            "Let nothing return. Otherwise moves of two bars are repeated as dancers of the style do, moves come again "
            "with their part of the song, and music is made in phrases that come again"
        ),
        default=False,
    )
    moves: EnumProperty(
        name="Moves",
        description=(
            "How often a move of two bars comes before another one, in a dance to a song. All of them come again with "
            "their part of the song. In free form nothing comes again"
        ),
        items=MOVES,
        default=STYLE_MOVES,
    )
    keys: PointerProperty(type=FootlightKeys)
    light: PointerProperty(type=FootlightLight)
    markers: BoolProperty(
        name="Always Show",
        description="Mark the beats on the timeline with every dance and every piece of music that is made",
        default=False,
    )
    bars_only: BoolProperty(
        name="Bars Only",
        description="Mark only the first beat of every bar, the next time that beats are shown",
        default=False,
    )
