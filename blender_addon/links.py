"""Where the documentation is and where faults are told: on the website that the manifest names, else on this computer.

The zip carries the user's pages as HTML (``train/tools/help_pages.py``). A checkout has them as Markdown.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from . import environment, names

PANEL = "panel"
"""The page that has every button."""

TROUBLES = "troubleshooting"
REPORTING = "reporting-a-bug"
"""The heading under which that page says what to send."""

HELP = environment.ROOT / "help"
DOCS = environment.ROOT / "docs"

OPERATORS = {
    names.CHOOSE_SONG: "song",
    names.BRING_SONG: "song",
    names.SHOW_SCENE: "song",
    names.GENERATE: "dance",
    names.EDIT: "edit",
    names.STEP_TAKE: "takes",
    names.ACCEPT_TAKE: "takes",
    names.REJECT_TAKE: "takes",
    names.LAY_OUT_TAKES: "takes",
    names.SCORE: "music-for-this-dance",
    names.DUET: "dance-and-music",
    names.THEATRE: "dance-and-light",
    names.CANCEL: "while-it-works",
    names.ADD_DANCER: "dancer",
    names.IMPORT_BONES: "bones",
    names.EXPORT_BONES: "bones",
    names.CLEAR_BONES: "bones",
    names.TAKE_STANCE: "bones",
    names.SHOW_BEATS: "beats",
    names.REMOVE_BEATS: "beats",
    names.CORRECT_BEATS: "beats",
    names.USE_MARKERS: "beats",
    names.IMPORT_BEATS: "beats",
    names.EXPORT_BEATS: "beats",
    names.CLEAR_BEATS: "beats",
    names.INSTALL_ENGINE: "engine",
    names.REINSTALL_ENGINE: "engine",
    names.REMOVE_ENGINE: "engine",
    names.USE_INSTALLED: "engine",
    names.OPEN_LOG: "engine",
    names.COPY_REPORT: "engine",
    names.FREE_MEMORY: "engine",
    names.PLAY: "play",
    names.ADD_STAGE: "stage",
    names.LIGHT: "stage-light",
    names.SEE_LIGHT: "stage-light",
    names.REMOVE_LIGHT: "stage-light",
    names.LIGHT_TAKE: "stage-light",
    names.LIGHT_EDIT: "stage-light",
    names.NEW_SEED: "seed",
    names.DISMISS: "messages",
    names.EXPLAIN: "dance",
    names.KEEP_MUSIC: "music-for-this-dance",
    names.OPEN_PANEL: "panel",
    names.OPEN_HELP: "panel",
    names.REPORT_BUG: "panel",
}
"""The heading of the page for an operator; any other of the extension's has the page itself."""

PROPERTIES = {
    "dancer": "dancer",
    "source": "song",
    "strip": "song",
    "song": "song",
    "style": "style",
    "style_second": "style",
    "style_mix": "style",
    "style_percent": "style",
    "seed": "seed",
    "takes": "takes",
    "keys": "keys",
    "light": "stage-light",
    **dict.fromkeys(
        (f"edit_{name}" for name in ("range", "counts", "joints", "keep_keys", "path", "facing", "variation")), "edit"
    ),
    "score_range": "music-for-this-dance",
    "duet_seconds": "dance-and-music",
    "markers": "beats",
    "bars_only": "beats",
    "fine": "advanced",
    "follow": "advanced",
    "beat_snap": "advanced",
    "free_form": "advanced",
    "moves": "advanced",
}
"""The heading for a property of the scene's settings."""


def website() -> str:
    """The project's website, without a slash at its end; "" where the manifest names none."""
    return str(environment.manifest().get("website", "")).rstrip("/")


def page(name: str = PANEL, heading: str = "") -> str:
    """The address of a page of the documentation.

    heading: as its anchor is called.
    """
    return _folder() + _path(name, heading)


def _folder() -> str:
    if website():
        return f"{website()}/blob/main/docs/"
    return (HELP if HELP.is_dir() else DOCS).as_uri() + "/"


def _path(name: str, heading: str) -> str:
    """A page below its folder."""
    if website() or not HELP.is_dir():
        return f"{name}.md" + (f"#{heading}" if heading else "")
    # A file of its own leads on to the heading: Windows and macOS drop the anchor when they open a page.
    return f"{name}/{heading}.html" if heading else f"{name}.html"


def new_issue(report: str) -> str:
    """The address at which a fault is told.

    report: what the text begins with.
    """
    if not website():
        return page(TROUBLES, REPORTING)
    return f"{website()}/issues/new?{urlencode({'body': report}, quote_via=quote)}"


def manual() -> tuple[str, tuple[tuple[str, str], ...]]:
    """What F1 opens, as ``bpy.utils.register_manual_map`` takes it: the first pattern that fits counts."""
    found = [(f"bpy.ops.{name}", heading) for name, heading in OPERATORS.items()]
    found += [(f"bpy.types.footlightsettings.{name}", heading) for name, heading in PROPERTIES.items()]
    found += [
        ("bpy.types.footlightsettings*", ""),
        ("bpy.types.footlightpreferences*", "engine"),
        ("bpy.types.footlightbones*", "bones"),
        ("bpy.types.footlighttakes*", "takes"),
        ("bpy.types.footlightkeys*", "keys"),
        ("bpy.types.footlightlight.accent*", "dance-and-light"),
        ("bpy.types.footlightlight.made*", "dance-and-light"),
        ("bpy.types.footlightlight*", "stage-light"),
        ("bpy.types.footlightlook*", "dance-and-light"),
        (f"bpy.types.scene.{names.SCENE_PROPERTY}*", ""),
        ("bpy.ops.footlight.*", ""),
    ]
    return _folder(), tuple((pattern, _path(PANEL, heading)) for pattern, heading in found)
