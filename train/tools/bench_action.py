"""Times writing a 180 s dance at 30 fps on 22 bones into an action. ``train.bench`` runs it in a process of its own."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from blender_addon.scene.actions import write_dance
from blender_addon.scene.dancer import add_dancer
from core.rig.skeleton import JOINTS

FRAMES = 180 * 30


def main() -> None:
    bpy.ops.wm.read_homefile(use_empty=True)
    dancer = add_dancer(bpy.context)
    generator = np.random.default_rng(0)
    rotations = generator.normal(size=(FRAMES, len(JOINTS), 4)).astype(np.float32)
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dance.npz"
        np.savez(path, rotations=rotations, root=np.zeros((FRAMES, 3), np.float32), joints=JOINTS)
        began = time.perf_counter()
        write_dance(path, dancer, 1)
        print(f"seconds {time.perf_counter() - began:.4f}")


if __name__ == "__main__":
    main()
