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


class Website:
    """The project has one, as long as this lasts."""

    def __enter__(self):
        menus.unregister()
        self.kept, links.website = links.website, lambda: "https://example.org/footlight"
        menus.register()

    def __exit__(self, *_):
        menus.unregister()
        links.website = self.kept
        menus.register()


def check_f1_leads_to_the_page():
    """Asked as Blender's own *Online Manual* does."""
    from bl_operators.wm import WM_OT_doc_view_manual

    page = "https://example.org/footlight/blob/main/docs/panel.md"
    with Website():
        for asked, heading in (
            ("bpy.ops.footlight.choose_song", "#song"),
            ("bpy.ops.footlight.play", "#play"),
            ("bpy.types.FootlightSettings.seed", "#seed"),
            ("bpy.types.FootlightSettings.style_second", "#style"),
            ("bpy.types.FootlightPreferences.python", "#engine"),
            ("bpy.ops.footlight.something_new", ""),
        ):
            assert WM_OT_doc_view_manual._lookup_rna_url(asked, verbose=False) == page + heading, asked
    if not links.website():
        found = WM_OT_doc_view_manual._lookup_rna_url("bpy.ops.footlight.play", verbose=False)
        assert found is None or "footlight" not in found, "nowhere is better than a wrong page"


def check_the_panels_header_has_help_and_where_to_tell_faults():
    layout = Layout()
    addon("panels.helping").draw_header_preset(layout)
    assert bool(layout.drawn) == bool(links.website())
    with Website():
        layout = Layout()
        addon("panels.helping").draw_header_preset(layout)
        assert [name for name, _ in layout.drawn] == ["wm.url_open", "wm.url_open"]
        address = links.new_issue(addon("panels.helping").report())
    assert address.startswith("https://example.org/footlight/issues/new?body=What%20I%20did")
    assert bpy.app.version_string.split()[0] in address and " " not in address and "\n" not in address
