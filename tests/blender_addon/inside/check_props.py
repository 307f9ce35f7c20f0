"""The panel's numbers are those of the requests."""

import dataclasses
import math
import types

import bpy
from scenes import FOLDER, addon

protocol, props = addon("shared").protocol, addon("props")
LARGEST_INT = 2**31 - 1  # of Blender's own fields
SHOWN = {
    "seed": (protocol.Sampling, "seed"),
    "duet_seconds": (protocol.DuetOptions, "seconds"),
    "beat_snap": (protocol.DanceOptions, "beat_snap"),
    "edit_variation": (protocol.DanceRequest, "variation"),
}


def check_bounds_and_defaults_are_those_of_the_requests():
    shown = bpy.context.scene.footlight.bl_rna.properties
    for name, (kind, field) in SHOWN.items():
        rule, default = protocol.rule(kind, field), protocol.default(kind, field)
        assert abs(shown[name].hard_min - rule.least) < 1e-6, name
        assert shown[name].hard_max == min(rule.most, LARGEST_INT), name
        assert abs(shown[name].default - default) < 1e-6, name
        assert shown[name].description and not shown[name].description.endswith("."), name


def check_every_number_of_a_request_is_shown_or_known_not_to_be():
    """fps is the scene's, start and seconds the strip's, quality whether *Fine* is ticked, guidance a place of *Follow
    the Music*, accent and moves menus of the engine's words; steps and the switch have no widget."""
    elsewhere = {"fps", "start", "seconds", "steps", "quality", "switch", "guidance", "accent", "moves"}
    numbers = {
        field
        for kind in protocol.REQUESTS.values()
        for field in (field.name for field in dataclasses.fields(kind))
        if protocol.rule(kind, field).bounded
    }
    assert numbers - elsewhere == {field for _, field in SHOWN.values()} - {"seconds"}
    accents = bpy.context.scene.footlight.light.bl_rna.properties["accent"].enum_items
    assert tuple(accents.keys()) == protocol.ACCENTS and all(item.description for item in accents)
    settings = addon("operators.settings")
    for fine, quality in ((False, "normal"), (True, "fine")):
        assert settings.quality(types.SimpleNamespace(fine=fine)) == quality
        protocol.check(protocol.Sampling, quality=quality)


def check_the_menu_of_moves_has_patterns_of_the_engine_and_those_of_the_style_first():
    """Each description says its pattern, and no two patterns are one to the engine."""
    settings = bpy.context.scene.footlight
    own, *chosen = settings.bl_rna.properties["moves"].enum_items
    assert settings.moves == own.identifier == props.STYLE_MOVES
    for item in chosen:
        protocol.check(protocol.DanceOptions, moves=item.identifier)
        assert item.description.startswith(" ".join(item.identifier) + ": ")
    assert [item.identifier for item in chosen] == ["AAAA", "AABB", "AABC", "ABCD"]


def check_follow_the_music_leaves_the_model_alone_in_the_middle():
    settings = addon("operators.settings")
    tuned = addon("model").facts(addon("environment").model_folder()).guidance
    assert tuned.keys() == {"motion", "music", "theatre"} and 3.0 not in tuned.values(), "else the cases say nothing"
    follow = bpy.context.scene.footlight.bl_rna.properties["follow"]
    assert (follow.default, follow.hard_min, follow.hard_max) == (3.0, 1.0, 6.0)
    for modality, own in tuned.items():
        assert settings.guidance(3.0, modality) is None
        assert settings.guidance(1.0, modality) == 1.0, "no guidance"
        assert math.isclose(settings.guidance(2.0, modality), (1 + own) / 2)
        assert settings.guidance(6.0, modality) > own
        protocol.check(protocol.Sampling, guidance=settings.guidance(6.0, modality))


def check_the_share_of_a_mixture_is_per_cent_of_what_is_kept():
    settings = bpy.context.scene.footlight
    assert settings.style_percent == 50 and settings.style_mix == 0.5
    settings.style_percent = 30
    assert abs(settings.style_mix - 0.3) < 1e-6 and settings.style_percent == 30


def check_the_dice_draws_another_seed():
    settings = bpy.context.scene.footlight
    seeds = []
    for _ in range(12):
        before = settings.seed
        assert bpy.ops.footlight.new_seed() == {"FINISHED"}
        assert settings.seed != before and 0 <= settings.seed < 1000
        seeds.append(settings.seed)
    assert len(set(seeds)) > 3


def check_the_menu_of_looks_has_those_that_the_engine_knows():
    """The usual one first, each with a title and a word on what it is for; any, and a file of the user's, last."""
    items = addon("light_props")._look_items()
    folder = addon("environment").ROOT / "core" / "light" / "looks"
    usual = protocol.default(protocol.LightRequest, "look")
    assert items[0][0] == usual and [item[0] for item in items[-2:]] == ["ANY", "FILE"] and len(items) == 12
    assert {item[0] for item in items[:-2]} == {path.stem for path in folder.glob("*.json")}
    assert all(title and about and not about.endswith(".") for _, title, about, *_ in items)
    light = bpy.context.scene.footlight.light
    assert light.look == usual
    light.look = "noir"
    assert light.look == light.look_name == "noir"
    light.look_name = "a look that is in no version any more"
    assert light.look == usual


def looks_after_opening_again():
    """The looks and files of a stage that is lit alone and of a dance with its light."""
    path = str(FOLDER / "looks.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    light = bpy.context.scene.footlight.light
    return light.look, light.file, light.together.look, light.together.file


def check_a_stage_that_is_lit_and_a_dance_with_its_light_have_looks_of_their_own():
    """A scene that was saved when both had one goes on with it in both, and then each has its own."""
    light, usual = bpy.context.scene.footlight.light, protocol.default(protocol.LightRequest, "look")
    light.look, light.file = "noir", "mine.png"
    assert (light.together.look, light.together.file) == (usual, "")
    assert looks_after_opening_again() == ("noir", "mine.png", usual, "")
    light = bpy.context.scene.footlight.light
    light.together.look = "neon"
    assert looks_after_opening_again() == ("noir", "mine.png", "neon", "")
    bpy.ops.wm.read_homefile(use_empty=True)
    light = bpy.context.scene.footlight.light
    light.look, light.file, light.apart = "storm", "mine.png", False  # as an earlier version saved it
    assert looks_after_opening_again() == ("storm", "mine.png", "storm", "mine.png")
    light = bpy.context.scene.footlight.light
    light.look = usual
    assert looks_after_opening_again() == (usual, "mine.png", "storm", "mine.png")
