"""The film of a scene: the render engines, its settings, and the rendering."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import bpy

from ..errors import UserError
from ..scene import versions

ENGINES = {
    "workbench": ("BLENDER_WORKBENCH",),
    "eevee": ("BLENDER_EEVEE", "BLENDER_EEVEE_NEXT"),
    "cycles": ("CYCLES",),
    "drawn": ("BLENDER_WORKBENCH",),
}
"""Names of the render engines by the name a person uses; the first one that this Blender knows is taken. The frames of
"drawn" are made by the module of that name; its .blend is set to the engine that looks most like it."""

WITHOUT_OPENGL = ("cycles", "drawn")

SMOOTHING = "5"  # samples of Workbench
CYCLES_SAMPLES = 8  # and a denoiser after them


def set_engine(scene: bpy.types.Scene, engine: str) -> None:
    """Choose a render engine by its key in ENGINES. Raises UserError when this Blender has none of that name."""
    for name in ENGINES[engine]:
        with contextlib.suppress(TypeError):  # the names that an engine may have are only known to the setter
            scene.render.engine = name
            return
    raise UserError(f"this Blender ({versions.NAME}) has no {engine}; choose another --engine")


def set_render(scene: bpy.types.Scene, engine: str, resolution: tuple[int, int], path: str) -> None:
    """Settings of an H.264 film with sound at ``path``.

    engine: a key of ENGINES.

    Raises as ``set_engine``.
    """
    render = scene.render
    set_engine(scene, engine)
    render.resolution_x, render.resolution_y = (value // 2 * 2 for value in resolution)  # H.264 needs even sides
    render.resolution_percentage = 100
    image = render.image_settings
    if hasattr(image, "media_type"):  # 5.0 and later ask for the kind of file first
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"
    ffmpeg = render.ffmpeg
    ffmpeg.format, ffmpeg.codec, ffmpeg.constant_rate_factor = "MPEG4", "H264", "HIGH"
    ffmpeg.ffmpeg_preset = "GOOD"
    ffmpeg.audio_codec, ffmpeg.audio_bitrate = "AAC", 192
    render.use_file_extension = False
    render.filepath = path
    scene.display.render_aa = SMOOTHING  # the cost grows with the samples: 0.5 s a frame of 640 x 360 without a GPU
    if render.engine == "CYCLES":
        scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = CYCLES_SAMPLES, True, 2
        render.use_persistent_data = True  # what does not move is not built anew for each frame


def render_picture(scene: bpy.types.Scene, path: Path) -> None:
    """Render the current frame as a PNG file. Raises RuntimeError as Blender does."""
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "IMAGE"
    image.file_format = "PNG"
    scene.render.filepath = str(path)
    with bpy.context.temp_override(scene=scene):
        bpy.ops.render.render(write_still=True)


def size(scene: bpy.types.Scene) -> tuple[int, int]:
    """Width and height of the picture that is rendered, in pixels."""
    render, share = scene.render, scene.render.resolution_percentage / 100
    return round(render.resolution_x * share), round(render.resolution_y * share)


def aspect(scene: bpy.types.Scene) -> float:
    """Width of the picture by its height."""
    render = scene.render
    return render.resolution_x * render.pixel_aspect_x / (render.resolution_y * render.pixel_aspect_y)


def render_film(
    scene: bpy.types.Scene, frames: tuple[int, int], on_progress: Callable[[float], None] = lambda _: None
) -> None:
    """Render the frames from the first to the last, both included, into the film that ``set_render`` named.

    on_progress: told the fraction that is done.

    Raises RuntimeError as Blender does.
    """
    kept = scene.frame_start, scene.frame_end
    first, last = scene.frame_start, scene.frame_end = frames

    def written(scene: bpy.types.Scene, *_: object) -> None:
        on_progress((scene.frame_current - first + 1) / (last - first + 1))

    bpy.app.handlers.render_write.append(written)
    try:
        with bpy.context.temp_override(scene=scene):
            bpy.ops.render.render(animation=True)
    finally:
        bpy.app.handlers.render_write.remove(written)
        scene.frame_start, scene.frame_end = kept
