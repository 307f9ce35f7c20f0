"""Where Footlight is found: Blender's menus, and F1."""

import bpy
from scenes import addon

links, menus, names = addon("links"), addon("panels.menus"), addon("names")


class Layout:
    """Takes what a menu draws: operators and submenus, in order."""

    def __init__(self):
        self.drawn = []
        self.operator_context = "INVOKE_DEFAULT"

    def operator(self, name, **more):
        self.drawn.append((name, more.get("text", "")))
        return type("Properties", (), {})()

    def menu(self, name, **_more):
        self.drawn.append((name, ""))

    def __getattr__(self, _name):
        return lambda *_args, **_more: self


def drawn(draw):
    layout = Layout()
    draw(type("Menu", (), {"layout": layout})(), bpy.context)
    return layout.drawn


def check_blenders_menus_have_footlight():
    for name, entry in (
        ("VIEW3D_MT_armature_add", names.ADD_DANCER),
        ("VIEW3D_MT_object_animation", "FOOTLIGHT_MT_footlight"),
        ("SEQUENCER_MT_strip", "FOOTLIGHT_MT_footlight"),
        ("SEQUENCER_MT_add", names.CHOOSE_SONG),
    ):
        extended = getattr(bpy.types, name)._dyn_ui_initialize()
        own = [draw for draw in extended if draw.__module__.endswith("blender_addon.panels.menus")]
        assert len(own) == 1 and entry in [drawn_name for drawn_name, _ in drawn(own[0])], name


def check_the_menu_has_every_operation():
    found = dict(drawn(menus.FOOTLIGHT_MT_footlight.draw))
    assert {names.CHOOSE_SONG, names.GENERATE, names.SCORE, names.DUET, names.PLAY, names.ADD_STAGE} <= found.keys()
    assert {names.SHOW_BEATS, names.OPEN_PANEL} <= found.keys()
    assert found[names.SCORE] == "Make Music from Motion", "what F3 finds"
    for name in found:
        space, _, operator = name.partition(".")
        assert operator in dir(getattr(bpy.ops, space)), name


def check_pose_mode_shows_the_same_submenu():
    """Pose > Animation is the object's menu."""
    source = bpy.types.VIEW3D_MT_pose.draw
    import inspect

    assert "VIEW3D_MT_object_animation" in inspect.getsource(source)


def check_every_operator_and_property_has_a_page():
    operators = {f"footlight.{name}" for name in dir(bpy.ops.footlight)}
    assert operators <= links.OPERATORS.keys(), operators - links.OPERATORS.keys()
    shown = {
        key
        for key, rule in bpy.types.Scene.bl_rna.properties["footlight"].fixed_type.properties.items()
        if not rule.is_hidden and key not in ("rna_type", "name")
    }
    assert shown <= links.PROPERTIES.keys(), shown - links.PROPERTIES.keys()


def check_f1_leads_to_the_page():
    """Blender looks patterns up as its own manual operator does."""
    from fnmatch import fnmatchcase

    prefix, found = links.manual()
    for asked, heading in (
        ("bpy.ops.footlight.choose_song", "#song"),
        ("bpy.ops.footlight.play", "#play"),
        ("bpy.types.footlightsettings.seed", "#seed"),
        ("bpy.types.footlightpreferences.python", "#engine"),
        ("bpy.ops.footlight.something_new", ""),
    ):
        assert next(url for pattern, url in found if fnmatchcase(asked, pattern)) == heading, asked
    assert prefix.endswith("docs/panel.md")
    if links.website():
        assert links.website().startswith("https://") and prefix.startswith(links.website())
        assert links.manual in bpy.utils._manual_map
