"""Where Footlight is found: Blender's menus, and F1."""

import re
import tempfile
import unittest.mock
from pathlib import Path
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

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
    assert {names.THEATRE, names.LIGHT, names.SHOW_BEATS, names.OPEN_PANEL} <= found.keys()
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


def f1(asked):
    """The address for an operator or property, looked up as Blender's own *Online Manual* does."""
    from bl_operators.wm import WM_OT_doc_view_manual

    return WM_OT_doc_view_manual._lookup_rna_url(asked, verbose=False)


def check_f1_leads_to_the_page():
    page = "https://example.org/footlight/blob/main/docs/panel.md"
    with Website():
        for asked, heading in (
            ("bpy.ops.footlight.choose_song", "#song"),
            ("bpy.ops.footlight.play", "#play"),
            ("bpy.types.FootlightSettings.seed", "#seed"),
            ("bpy.types.FootlightSettings.style_second", "#style"),
            ("bpy.types.FootlightPreferences.python", "#engine"),
            ("bpy.types.FootlightLight.accent", "#dance-and-light"),
            ("bpy.types.FootlightLight.by", "#stage-light"),
            ("bpy.types.FootlightLight.look", "#stage-light"),
            ("bpy.types.FootlightLook.look", "#dance-and-light"),
            ("bpy.ops.footlight.something_new", ""),
        ):
            assert f1(asked) == page + heading, asked


def landing(address):
    """The file that a browser shows in the end, and the heading to which it scrolls: signposts are followed."""
    parsed = urlparse(address)
    assert parsed.scheme == "file" and not parsed.netloc, address
    path = Path(url2pathname(parsed.path))
    text = path.read_text("utf-8")
    if target := re.search(r'http-equiv="refresh" content="0; url=([^"#]+)#([^"]+)"', text):
        assert not parsed.fragment
        return (path.parent / unquote(target[1])).resolve(), target[2]
    return path, parsed.fragment


def check_without_a_website_f1_opens_the_zips_own_pages():
    """Every operator and property, also with a heading that stands there."""
    help_folder = (links.environment.ROOT / "help").resolve()
    settings = bpy.types.Scene.bl_rna.properties["footlight"].fixed_type
    asked = {f"bpy.ops.footlight.{name}": links.OPERATORS[f"footlight.{name}"] for name in dir(bpy.ops.footlight)}
    asked |= {f"bpy.types.{settings.identifier}.{name}": heading for name, heading in links.PROPERTIES.items()}
    asked |= {"bpy.types.FootlightPreferences.python": "engine", "bpy.types.FootlightSettings.name": ""}
    assert len(asked) > 30 and not links.website()
    for name, heading in asked.items():
        path, found = landing(f1(name))
        assert path.resolve() == help_folder / "panel.html" and found == heading, (name, path, found)
        assert not found or f' id="{found}"' in path.read_text("utf-8"), (name, found)


def check_a_checkout_opens_its_markdown():
    with tempfile.TemporaryDirectory() as folder, unittest.mock.patch.object(links, "HELP", Path(folder) / "none"):
        page, anchor = links.page(heading="seed").split("#")
        assert page == links.DOCS.as_uri() + "/panel.md" and anchor == "seed"
        assert links.new_issue("").endswith("/docs/troubleshooting.md#reporting-a-bug")


def opened(operator):
    """The addresses that an operator opens in the browser."""
    with unittest.mock.patch("webbrowser.open") as browser:
        assert operator() == {"FINISHED"}
    return [call.args[0] for call in browser.call_args_list]


def check_the_panels_header_has_help_and_where_to_tell_faults():
    for website in (False, True):
        layout = Layout()
        with Website() if website else unittest.mock.MagicMock():
            addon("panels.helping").draw_header_preset(layout)
        assert [name for name, _ in layout.drawn] == [names.OPEN_HELP, names.REPORT_BUG]


def check_help_opens_without_a_website():
    (address,) = opened(bpy.ops.footlight.open_help)
    path, anchor = landing(address)
    assert path.name == "panel.html" and not anchor
    for picture in re.findall(r'<img src="([^"]+)"', path.read_text("utf-8")):
        assert (path.parent / picture).stat().st_size > 1000, picture
    assert (path.parent / "style.css").is_file()


def check_a_bug_is_told_in_one_click():
    """The report is copied, and the page that says what to send comes up."""
    copied = addon("report").text()
    with unittest.mock.patch.object(addon("report"), "text", lambda: copied + "mark"):
        (address,) = opened(bpy.ops.footlight.report_bug)
    path, anchor = landing(address)
    assert path.name == "troubleshooting.html" and anchor == "reporting-a-bug"
    assert "Copy Report" in path.read_text("utf-8").split(f' id="{anchor}"')[1]
    if bpy.context.window_manager.clipboard:  # there is none without a window
        assert bpy.context.window_manager.clipboard.endswith("mark")
    with Website():
        (address,) = opened(bpy.ops.footlight.report_bug)
    assert address.startswith("https://example.org/footlight/issues/new?body=What%20I%20did")
    assert bpy.app.version_string.split()[0] in address and " " not in address and "\n" not in address
