"""Whether Blender can draw with OpenGL without a window. Asked beforehand: where it cannot, Blender ends at once.

On Linux Blender without a window draws through EGL; on other systems the graphics driver is always there.
"""

from __future__ import annotations

import ctypes
import sys

NEEDED = (4, 3)
"""The version of OpenGL that Blender 4.5 and later ask for."""

REMEDY = "install them (Debian: apt install libegl1 libgl1-mesa-dri)"

IN_SOFTWARE = ("llvmpipe", "softpipe")
"""How Mesa's drivers name themselves that need no graphics card."""

# names and values as in Khronos' egl.h and gl.h
_NONE = 0x3038
_OPENGL_API = 0x30A2
_SURFACELESS = 0x31DD
_SURFACE_TYPE = 0x3033
_PBUFFER_BIT = 0x0001
_RENDERABLE_TYPE = 0x3040
_OPENGL_BIT = 0x0008
_MAJOR_VERSION = 0x3098
_MINOR_VERSION = 0x30FB
_RENDERER = 0x1F01

_P = ctypes.c_void_p
_I = ctypes.c_int
_FUNCTIONS = {
    "eglGetDisplay": (_P, _P),
    "eglGetPlatformDisplay": (_P, _I, _P, _P),
    "eglInitialize": (_I, _P, _P, _P),
    "eglTerminate": (_I, _P),
    "eglBindAPI": (_I, _I),
    "eglChooseConfig": (_I, _P, _P, _P, _I, _P),
    "eglCreateContext": (_P, _P, _P, _P, _P),
    "eglDestroyContext": (_I, _P, _P),
    "eglMakeCurrent": (_I, _P, _P, _P, _P),
    "eglGetProcAddress": (_P, ctypes.c_char_p),
}


def lacking() -> str:
    """What is missing for OpenGL without a window, in a few words; empty when nothing is."""
    if not sys.platform.startswith("linux"):
        return ""
    try:
        egl = _egl()
    except (OSError, AttributeError):
        return "the library libEGL.so.1"
    found = _ask(egl)
    if found is None:
        return "an OpenGL driver for libEGL"
    return "" if found else f"a driver for OpenGL {NEEDED[0]}.{NEEDED[1]}"


def is_slow() -> bool:
    """Whether OpenGL without a window is calculated by the processor: Mesa's llvmpipe and softpipe. Ask it only where
    nothing is lacking."""
    return sys.platform.startswith("linux") and any(name in (_ask(_egl()) or "") for name in IN_SOFTWARE)


def _egl() -> ctypes.CDLL:
    """Raises OSError or AttributeError where it is not there."""
    egl = ctypes.CDLL("libEGL.so.1")
    for name, (result, *arguments) in _FUNCTIONS.items():
        function = getattr(egl, name)
        function.restype, function.argtypes = result, arguments
    return egl


def _ask(egl: ctypes.CDLL) -> str | None:
    """What draws, by its own name; empty where there is no context of the version that is needed, None where there is
    no display."""
    # as Blender does: the display there is, else none at all
    displays = (egl.eglGetDisplay(None), egl.eglGetPlatformDisplay(_SURFACELESS, None, None))
    display = next((found for found in displays if found and egl.eglInitialize(found, None, None)), None)
    if display is None:
        return None
    try:
        return _renderer(egl, display)
    finally:
        egl.eglTerminate(display)


def _renderer(egl: ctypes.CDLL, display: int) -> str:
    """The name of what draws in a context of an initialised display; empty where none can be had."""
    config, count = _P(), _I()
    wanted = _array(_SURFACE_TYPE, _PBUFFER_BIT, _RENDERABLE_TYPE, _OPENGL_BIT, _NONE)
    if not egl.eglChooseConfig(display, wanted, ctypes.byref(config), 1, ctypes.byref(count)) or not count.value:
        return ""
    version = _array(_MAJOR_VERSION, NEEDED[0], _MINOR_VERSION, NEEDED[1], _NONE)
    context = egl.eglBindAPI(_OPENGL_API) and egl.eglCreateContext(display, config, None, version)
    if not context:
        return ""
    named = b""
    if egl.eglMakeCurrent(display, None, None, context):
        get_string = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_uint)(egl.eglGetProcAddress(b"glGetString"))
        named = get_string(_RENDERER) or b""
        egl.eglMakeCurrent(display, None, None, None)
    egl.eglDestroyContext(display, context)
    return named.decode(errors="replace") or "unknown"


def _array(*values: int) -> ctypes.Array:
    return (ctypes.c_int * len(values))(*values)
