"""What a rig does not show of its dance.

Feet that stand on legs of another build, hips that turn less, joints without a bone: what is read from a rig that
dances is not all of the dance. The difference is kept with the keys and added to what is read, frame by frame. So a
dance comes back as it was, and with what was changed on the rig since.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from . import quaternion as quat
from .skeleton import JOINTS

_SMALL = 1e-4  # radians and metres: what differs less is not kept
_ROOT = "root"


@dataclass(frozen=True)
class Residual:
    """What is added to a motion that was read.

    turns: joint -> axis times radians (t, 3) by which its local rotation is turned first; the others have none.
    root: (t, 3) by which the pelvis is moved, metres, y up.
    """

    turns: dict[int, np.ndarray]
    root: np.ndarray

    @classmethod
    def between(cls, rotations: np.ndarray, root: np.ndarray, read: np.ndarray, place: np.ndarray) -> Residual:
        """What a motion that was read lacks.

        rotations, root: (t, 22, 4) wxyz and (t, 3) of the motion.
        read, place: the same, as read.
        """
        apart = quat.to_vector(quat.mul(quat.conjugate(read), rotations))
        turns = {joint: apart[:, joint] for joint in range(len(JOINTS)) if np.abs(apart[:, joint]).max() > _SMALL}
        return cls(turns, np.asarray(root) - place)

    def at(self, frames: np.ndarray) -> Residual:
        """The residual at frame numbers (n,), also between frames. Before the first and after the last it stays."""
        return Residual(
            {joint: _between(turns, frames) for joint, turns in self.turns.items()}, _between(self.root, frames)
        )

    def added(self, read: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The motion (t, 22, 4) and (t, 3) of one that was read, of as many frames."""
        rotations = np.array(read, dtype=float)
        for joint, turns in self.turns.items():
            rotations[:, joint] = quat.mul(rotations[:, joint], quat.from_vector(turns))
        return quat.continuous(rotations), place + self.root

    def replaced(self, other: Residual, first: int, last: int, joints: Collection[int]) -> Residual:
        """The residual with another one's frames [first, last) of these joints. The root goes with the pelvis."""
        inside = slice(max(first, 0), max(last, 0))

        def merged(mine: np.ndarray | None, new: np.ndarray | None) -> np.ndarray:
            values = np.zeros_like(self.root) if mine is None else mine.copy()
            there = np.zeros_like(values) if new is None else _between(new, np.arange(len(values)))
            values[inside] = there[inside]
            return values

        changed = {j: merged(self.turns.get(j), other.turns.get(j)) for j in {*self.turns, *other.turns} & {*joints}}
        root = merged(self.root, other.root) if 0 in joints else self.root
        return Residual(self.turns | changed, root)

    def packed(self) -> str:
        """The residual as text, for a file: 80 to 160 bytes a frame on bodies unlike ours."""
        arrays = {str(joint): turns.astype(np.float16) for joint, turns in self.turns.items()}
        file = io.BytesIO()
        np.savez_compressed(file, **arrays, **{_ROOT: self.root.astype(np.float32)})
        return base64.b64encode(file.getvalue()).decode()

    @classmethod
    def unpacked(cls, text: str) -> Residual:
        """The residual of a ``packed`` text."""
        with np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False) as file:
            arrays = {name: file[name].astype(float) for name in file.files}
        root = arrays.pop(_ROOT)
        return cls({int(joint): turns for joint, turns in arrays.items()}, root)


def _between(values: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Values (t, 3) at frame numbers (n,)."""
    return np.stack([np.interp(frames, np.arange(len(values)), column) for column in values.T], axis=-1)
