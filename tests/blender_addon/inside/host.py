"""Runs inside a Blender, the bpy module or the real program: installs the extension's zip and runs one file's checks.

    python host.py CHECKS.py REPORT [NAME ...]            blender -b --python host.py -- CHECKS.py REPORT [NAME ...]

The functions ``check_*`` of the file, or those that are named, each start in an empty scene. REPORT gets a line of
JSON for each as soon as it ends: check, outcome (passed, failed or skipped) and text (the traceback, or the reason).
A check skips by raising ``unittest.SkipTest``. The zip and the folder for Blender's own files come in the environment
(FOOTLIGHT_TEST_ZIP, BLENDER_USER_RESOURCES).
"""

import importlib.util
import json
import os
import sys
import traceback
import unittest
from pathlib import Path

import bpy

MODULE = "bl_ext.user_default.footlight"


def install() -> None:
    bpy.ops.extensions.package_install_files(
        filepath=os.environ["FOOTLIGHT_TEST_ZIP"], repo="user_default", enable_on_install=True
    )
    # The operator says FINISHED even where it did nothing.
    assert MODULE in bpy.context.preferences.addons, "the extension is not installed"


def main(path: str, report: str, *names: str) -> int:
    """Returns how many checks failed."""
    install()
    outcomes = []
    try:
        spec = importlib.util.spec_from_file_location("checks", path)
        checks = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(checks)
        for name in names or [name for name in vars(checks) if name.startswith("check_")]:
            bpy.ops.wm.read_homefile(use_empty=True)
            outcome, text = run(getattr(checks, name))
            outcomes.append(outcome)
            with open(report, "a") as file:
                print(json.dumps({"check": name, "outcome": outcome, "text": text}), file=file)
            print(f"{outcome} {name}\n{text}", flush=True)
    finally:
        bpy.ops.preferences.addon_disable(module=MODULE)
    return outcomes.count("failed")


def run(check) -> tuple[str, str]:
    """The check's outcome, and its traceback or the reason why it was skipped."""
    try:
        check()
    except unittest.SkipTest as reason:
        return "skipped", str(reason)
    except Exception:
        return "failed", traceback.format_exc()
    return "passed", ""


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
