"""Runs inside a Blender, the bpy module or the real program: installs the extension's zip and runs one file's checks.

    python host.py CHECKS.py            blender -b --python host.py -- CHECKS.py

Every function ``check_*`` of the file starts in an empty scene. The zip and the folder for Blender's own files come in
the environment (FOOTLIGHT_TEST_ZIP, BLENDER_USER_RESOURCES).
"""

import importlib.util
import os
import sys
import traceback
from pathlib import Path

import bpy

MODULE = "bl_ext.user_default.footlight"


def install() -> None:
    bpy.ops.extensions.package_install_files(
        filepath=os.environ["FOOTLIGHT_TEST_ZIP"], repo="user_default", enable_on_install=True
    )
    # The operator says FINISHED even where it did nothing.
    assert MODULE in bpy.context.preferences.addons, "the extension is not installed"


def main(path: str) -> int:
    install()
    failed = 0
    try:
        spec = importlib.util.spec_from_file_location("checks", path)
        checks = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(checks)
        for name in [name for name in vars(checks) if name.startswith("check_")]:
            bpy.ops.wm.read_homefile(use_empty=True)
            try:
                getattr(checks, name)()
                print(f"passed {name}", flush=True)
            except Exception:
                failed += 1
                print(f"FAILED {name}\n{traceback.format_exc()}", flush=True)
    finally:
        bpy.ops.preferences.addon_disable(module=MODULE)
    print(f"{failed} failed", flush=True)
    return failed


def arguments() -> list[str]:
    return sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    code = main(*arguments())
    sys.stdout.flush()
    if bpy.app.binary_path:
        assert not code, f"{code} checks failed"
    else:
        os._exit(1 if code else 0)
