"""Captures told with other zero poses: the same joints in the same places, but what the file calls zero is arbitrary.

Nothing of the motion changes, so the true place of every joint is known. Rigs of FBX converters, for example, have all
bones along one axis when every rotation is zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from core.formats.bvh import BvhMotion
from core.motion import kinematics, rotation
from core.motion.skeleton import Skeleton


def along(skeleton: Skeleton, axis: Sequence[float] = (1.0, 0.0, 0.0)) -> Tensor:
    """The turns (j, 4) for ``rezeroed`` after which every bone lies along ``axis`` of its own joint."""
    turns = rotation.identity(skeleton.joints).double()
    for joint in range(skeleton.joints):
        children = skeleton.children(joint)
        bones = [skeleton.offsets[child].double() for child in children]
        if not bones and skeleton.names[joint] in skeleton.tips:
            bones = [skeleton.tips[skeleton.names[joint]].double()]
        bone = max(bones, key=lambda bone: float(bone.norm()), default=torch.zeros(3).double())
        if float(bone.norm()) > 0:
            turns[joint] = rotation.between(torch.tensor(axis).double(), bone)
    return turns


def any_which_way(skeleton: Skeleton, seed: int = 0) -> Tensor:
    """Random turns (j, 4) for ``rezeroed``."""
    generator = torch.Generator().manual_seed(seed)
    return rotation.normalise(torch.randn(skeleton.joints, 4, generator=generator, dtype=torch.float64))


def askew(skeleton: Skeleton, degrees: float, seed: int = 0) -> Tensor:
    """Turns (j, 4) for ``rezeroed`` by so many degrees about random axes."""
    generator = torch.Generator().manual_seed(seed)
    axes = torch.randn(skeleton.joints, 3, generator=generator, dtype=torch.float64)
    return rotation.from_axis_angle(axes / axes.norm(dim=-1, keepdim=True) * math.radians(degrees))


def rezeroed(skeleton: Skeleton, motion: BvhMotion, turns: Tensor) -> tuple[Skeleton, BvhMotion]:
    """The same motion of a skeleton whose joints are turned against their old axes by constant ``turns`` (j, 4)."""
    turns = turns.double()
    world, _ = kinematics.forward_global(motion.rotations.double(), motion.root.double(), skeleton)
    local = kinematics.local_rotations(rotation.mul(world, turns), skeleton)
    parents = [max(parent, 0) for parent in skeleton.parents]
    offsets = rotation.rotate(rotation.conjugate(turns[parents]), skeleton.offsets.double())
    offsets[0] = skeleton.offsets[0].double()
    tips = {
        name: rotation.rotate(rotation.conjugate(turns[skeleton.index(name)]), tip.double()).float()
        for name, tip in skeleton.tips.items()
    }
    told = replace(skeleton, offsets=offsets.float(), tips=tips)
    return told, BvhMotion(rotation.continuous(local).float(), motion.root, motion.fps)


def split(skeleton: Skeleton, motion: BvhMotion, joints: Sequence[str], pieces: int = 2) -> tuple[Skeleton, BvhMotion]:
    """The same motion with the bones that begin at some joints in ``pieces``, as some rigs spread a twist.

    The new joints do not turn. They are called as the joint, with a number.
    """
    ends = [
        skeleton.names[max(skeleton.children(joint), key=lambda child: float(skeleton.offsets[child].norm()))]
        for joint, name in enumerate(skeleton.names)
        if name in joints
    ]
    return interrupted(skeleton, motion, ends, pieces)


def interrupted(
    skeleton: Skeleton, motion: BvhMotion, ends: Sequence[str], pieces: int = 2
) -> tuple[Skeleton, BvhMotion]:
    """The same motion with joints that do not turn between some joints and their parents."""
    names, parents, offsets, came = [], [], [], []
    last: dict[int, int] = {}
    for joint in skeleton.depth_first():
        parent, cut = skeleton.parents[joint], pieces if skeleton.names[joint] in ends else 1
        above = -1 if parent < 0 else last[parent]
        for piece in range(2, cut + 1):
            name = f"{skeleton.names[parent]}{piece}"
            names.append(name if name not in names else f"{name} to {skeleton.names[joint]}")
            parents.append(above)
            offsets.append(skeleton.offsets[joint] / cut)
            came.append(-1)
            above = len(names) - 1
        names.append(skeleton.names[joint])
        parents.append(above)
        offsets.append(skeleton.offsets[joint] / cut)
        came.append(joint)
        last[joint] = len(names) - 1
    made = Skeleton(tuple(names), tuple(parents), torch.stack(offsets), skeleton.tips)
    still = rotation.identity(len(motion.root), 1).to(motion.rotations)
    rotations = torch.cat((motion.rotations, still), 1)[:, came]
    return made, BvhMotion(rotations, motion.root, motion.fps)


def nameless(skeleton: Skeleton) -> Skeleton:
    """The skeleton with names that say nothing."""
    names = tuple(f"j{joint}" for joint in range(skeleton.joints))
    tips = {names[skeleton.index(name)]: tip for name, tip in skeleton.tips.items()}
    return replace(skeleton, names=names, tips=tips)


def turned(motion: BvhMotion, turn: Tensor) -> BvhMotion:
    """The motion in a world on other axes. turn: (4,) from the old axes to the new ones."""
    rotations = motion.rotations.clone()
    rotations[:, 0] = rotation.mul(turn.to(rotations), rotations[:, 0])
    return replace(motion, rotations=rotations, root=rotation.rotate(turn.to(rotations), motion.root))


def text(skeleton: Skeleton, motion: BvhMotion, order: str = "ZXY") -> str:
    """A BVH file of them. order: of the Euler angles."""
    lines, listed = ["HIERARCHY"], skeleton.depth_first()

    def numbers(offset: Tensor) -> str:
        return " ".join(f"{value:.6f}" for value in offset.tolist())

    def joint(index: int, pad: str) -> None:
        lines.append(f"{pad}{'JOINT' if pad else 'ROOT'} {skeleton.names[index]}")
        lines.extend((f"{pad}{{", f"{pad} OFFSET {numbers(skeleton.offsets[index])}"))
        position = "" if pad else "Xposition Yposition Zposition "
        turns = " ".join(f"{axis}rotation" for axis in order)
        lines.append(f"{pad} CHANNELS {3 if pad else 6} {position}{turns}")
        for child in skeleton.children(index):
            joint(child, pad + " ")
        if not skeleton.children(index):
            tip = skeleton.tips.get(skeleton.names[index], torch.zeros(3))
            lines.extend((f"{pad} End Site", f"{pad} {{", f"{pad}  OFFSET {numbers(tip)}", f"{pad} }}"))
        lines.append(f"{pad}}}")

    joint(0, "")
    lines += ["MOTION", f"Frames: {len(motion.root)}", f"Frame Time: {1 / motion.fps:.8f}"]
    angles = rotation.to_euler(motion.rotations[:, listed].double(), order).rad2deg().flatten(1)
    table = torch.cat((motion.root.double(), angles), 1)
    lines += [" ".join(f"{value:.6f}" for value in row) for row in table.tolist()]
    return "\n".join(lines) + "\n"
