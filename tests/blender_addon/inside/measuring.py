"""How a dance is on a character: where limbs point, where the hips and the feet go, and whether the dance comes back.

``steps.npz`` has the dance, ``characters.json`` the families. ``table.jsonl`` gets a row for each that is measured. The
folder FOOTLIGHT_DANCES has others, as ``core dance --out DANCE.npz`` writes them.
"""

import json
import os
from pathlib import Path

import bpy
import numpy as np
from scenes import FOLDER, addon, fingerprint, read, z_up

actions, rigs = addon("scene.actions"), addon("scene.rigs")
shared = addon("shared")
skeleton, quat = shared.skeleton, shared.quaternion
JOINTS, PARENTS, OFFSETS = skeleton.JOINTS, skeleton.PARENTS, skeleton.OFFSETS
FAMILIES = json.loads((FOLDER / "characters.json").read_text())
TABLE = FOLDER / "table.jsonl"
ARMS = [(f"{s}_{a}", f"{s}_{b}") for s in ("left", "right") for a, b in (("shoulder", "elbow"), ("elbow", "wrist"))]
LEGS = [(f"{s}_{a}", f"{s}_{b}") for s in ("left", "right") for a, b in (("hip", "knee"), ("knee", "ankle"))]


def places_of(rotations, root):
    """Positions (t, 22, 3) of our joints, y up."""
    turns, places = [], []
    for joint, parent in enumerate(PARENTS):
        turns.append(rotations[:, joint] if parent < 0 else quat.mul(turns[parent], rotations[:, joint]))
        places.append(root if parent < 0 else places[parent] + quat.rotate(turns[parent], OFFSETS[joint]))
    return np.stack(places, axis=1)


class Dance:
    """A dance's file: rotations, root, frames a second, which ankles stand (t, 2), and where joints are (t, 22, 3)."""

    def __init__(self, path):
        values = dict(np.load(path))
        self.path, self.fps = path, float(values["fps"])
        self.rotations, self.root = values["rotations"].astype(float), values["root"].astype(float)
        self.stands = values["contacts"][:, ::2] > 0.5
        self.expected = np.array([z_up(frame) for frame in places_of(self.rotations, self.root)])


STEPS = Dance(FOLDER / "steps.npz")
DANCE, ROTATIONS, ROOT, EXPECTED = STEPS.path, STEPS.rotations, STEPS.root, STEPS.expected
STANDS = STEPS.stands
GENERATED = [Dance(path) for path in sorted(Path(os.environ.get("FOOTLIGHT_DANCES", "none")).glob("*.npz"))]


def shown(armature, bones, dance=STEPS):
    """Our joints -> (t, 3) where their bones start in the armature's upright space, in its units."""
    found = {joint: [] for joint in bones}
    turn = rigs.at_rest(armature).turn
    for frame in range(len(dance.root)):
        bpy.context.scene.frame_set(1 + frame)
        for joint, bone in bones.items():
            found[joint].append(turn @ np.array(armature.pose.bones[bone].head))
    return {joint: np.array(line) for joint, line in found.items()}


def angles(at, pairs, expected=EXPECTED):
    """The largest angle (degrees) between a limb of the character and the dancer's, of each frame the worst."""
    worst = [0.0]
    for a, b in pairs:
        if a in at and b in at:
            ours = expected[:, JOINTS.index(b)] - expected[:, JOINTS.index(a)]
            cosine = np.sum(quat.unit(at[b] - at[a]) * quat.unit(ours), axis=-1)
            worst.append(float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).max()))
    return max(worst)


def middle(at, part):
    return (at[f"left_{part}"] + at[f"right_{part}"]) / 2


def leg(at):
    return sum(np.linalg.norm(at[b][0] - at[a][0]) for a, b in LEGS) / 2


def skate(at, size, dance=STEPS):
    """Centimetres per second that standing ankles move along the floor, in our size."""
    speeds = []
    for i, side in enumerate(("left", "right")):
        ankle = at[f"{side}_ankle"][:, :2] / size
        both = dance.stands[1:, i] & dance.stands[:-1, i]
        speeds.append(100 * dance.fps * np.linalg.norm(np.diff(ankle, axis=0), axis=-1)[both])
    return float(np.concatenate(speeds).mean())


def measure(name, armature, bones, dance=STEPS):
    """A row of the table: arms, legs (degrees), hips (cm off the path), skating and that of the dancer (cm/s), what
    comes back (cm)."""
    before = fingerprint()
    before.pop("actions")
    actions.write_dance(dance.path, armature, 1)
    now = fingerprint()
    now.pop("actions")
    assert before == now, "nothing but the action is new"
    at = shown(armature, bones, dance)
    ours = {joint: dance.expected[:, JOINTS.index(joint)] for joint in bones}
    size = leg(at) / leg(ours)
    path, wanted = (middle(one, "hip") - middle(one, "hip")[0] for one in (at, ours))
    rotations, root = read(armature, 1, len(dance.root))
    back = places_of(rotations, root) - places_of(dance.rotations, dance.root)
    known = [JOINTS.index(joint) for joint in bones if joint not in ("spine1", "spine2", "neck")]
    row = {
        "arms": angles(at, ARMS, dance.expected),
        "legs": angles(at, LEGS, dance.expected),
        "hips": 100 * float(np.abs(path / size - wanted).max()),
        "skate": skate(at, size, dance),
        "dancer": skate(ours, 1.0, dance),
        "back": 100 * float(np.linalg.norm(back[:, known], axis=-1).max()),
    }
    line = f"{name:32s}" + " ".join(f"{key} {value:6.2f}" for key, value in row.items())
    print(line, flush=True)
    with TABLE.open("a") as file:
        file.write(f"{json.dumps({'name': name} | row)}\n")
    return row
