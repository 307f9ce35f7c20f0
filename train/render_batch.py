"""Dances, scores and duets in batches, without a window.

    blender -b --python train/render_batch.py -- SONG... --out DIR [--render]
    python train/render_batch.py SONG... --out DIR [--render]          (with the bpy module)

This file only hands over to ``blender_addon.batch``, whose ``--help`` tells the rest.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # a script that Blender runs is in no package: this is how it finds its checkout
    sys.path.insert(0, str(ROOT))

if __name__ == "__main__":
    try:
        import bpy  # noqa: F401
    except ImportError as error:
        sys.exit(
            f"{sys.executable} cannot load bpy ({error}): run this by Blender (blender -b --python {__file__} -- ...) "
            "or by a Python with the bpy module (pip install -e .[blender])"
        )
    from blender_addon.batch.__main__ import main

    sys.exit(main())
