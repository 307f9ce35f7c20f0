"""Whether Blender can draw with OpenGL without a window. Asked beforehand: where it cannot, Blender ends at once.

On Linux Blender without a window draws through EGL; on other systems the graphics driver is always there.
"""

from __future__ import annotations

import ctypes
import sys

NEEDED = (4, 3)
"""The version of OpenGL that Blender 4.5 and later ask for."""

REMEDY = "install them (Debian: apt install libegl1 libgl1-mesa-dri)"

# names and values as in Khronos' egl.h
_NONE, _OPENGL_API, _SURFACELESS = 0x3038, 0x30A2, 0x31DD
_SURFACE_TYPE, _PBUFFER_BIT, _RENDERABLE_TYPE, _OPENGL_BIT = 0x3033, 0x0001, 0x3040, 0x0008
_MAJOR_VERSION, _MINOR_VERSION = 0x3098, 0x30FB

_P, _I = ctypes.c_void_p, ctypes.c_int
_FUNCTIONS = {
    "eglGetDisplay": (_P, _P),
    "eglGetPlatformDisplay": (_P, _I, _P, _P),
    "eglInitialize": (_I, _P, _P, _P),
    "eglTerminate": (_I, _P),
    "eglBindAPI": (_I, _I),
    "eglChooseConfig": (_I, _P, _P, _P, _I, _P),
    "eglCreateContext": (_P, _P, _P, _P, _P),
    "eglDestroyContext": (_I, _P, _P),
}


def lacking() -> str:
    """What is missing for OpenGL without a window, in a few words; empty when nothing is."""
    if not sys.platform.startswith("linux"):
        return ""
    try:
        egl = ctypes.CDLL("libEGL.so.1")
        for name, (result, *arguments) in _FUNCTIONS.items():
            function = getattr(egl, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError):
        return "the library libEGL.so.1"
    # as Blender does: the display there is, else none at all
    displays = (egl.eglGetDisplay(None), egl.eglGetPlatformDisplay(_SURFACELESS, None, None))
    display = next((found for found in displays if found and egl.eglInitialize(found, None, None)), None)
    if display is None:
        return "an OpenGL driver for libEGL"
    try:
        return "" if _has_context(egl, display) else f"a driver for OpenGL {NEEDED[0]}.{NEEDED[1]}"
    finally:
        egl.eglTerminate(display)


def _has_context(egl: ctypes.CDLL, display: int) -> bool:
    """Whether a context of the version that is needed can be had on an initialised display."""
    config, count = _P(), _I()
    wanted = _array(_SURFACE_TYPE, _PBUFFER_BIT, _RENDERABLE_TYPE, _OPENGL_BIT, _NONE)
    if not egl.eglChooseConfig(display, wanted, ctypes.byref(config), 1, ctypes.byref(count)) or not count.value:
        return False
    version = _array(_MAJOR_VERSION, NEEDED[0], _MINOR_VERSION, NEEDED[1], _NONE)
    context = egl.eglBindAPI(_OPENGL_API) and egl.eglCreateContext(display, config, None, version)
    if context:
        egl.eglDestroyContext(display, context)
    return bool(context)


def _array(*values: int) -> ctypes.Array:
    return (ctypes.c_int * len(values))(*values)
