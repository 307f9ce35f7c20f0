"""The dancer's body, the bone maps and the mannequin's shape."""

from collections import Counter

import numpy as np
import pytest
import torch

from blender_addon.rigs import bonemaps, mannequin, quaternion, retarget
from blender_addon.rigs.body import JOINTS, OFFSETS, PARENTS, TIPS, joint_positions
from core.motion import rotation
from core.motion.skeleton import REST_HEIGHT, SMPL22


def test_the_dancer_has_the_engines_skeleton():
    assert SMPL22.names == JOINTS
    assert SMPL22.parents == PARENTS
    expected = SMPL22.offsets.numpy().copy()
    expected[0] += (0.0, REST_HEIGHT, 0.0)
    np.testing.assert_allclose(OFFSETS, expected, atol=1e-6)
    assert TIPS.keys() == SMPL22.tips.keys()
    for name, tip in TIPS.items():
        np.testing.assert_allclose(tip, SMPL22.tips[name].numpy(), atol=1e-6)


def test_quaternions_agree_with_the_engines():
    generator = torch.Generator().manual_seed(0)
    a, b = (rotation.normalise(torch.randn(50, 4, generator=generator, dtype=torch.float64)) for _ in range(2))
    v = torch.randn(50, 3, generator=generator, dtype=torch.float64)
    np.testing.assert_allclose(quaternion.mul(a.numpy(), b.numpy()), rotation.mul(a, b).numpy(), atol=1e-12)
    np.testing.assert_allclose(quaternion.rotate(a.numpy(), v.numpy()), rotation.rotate(a, v).numpy(), atol=1e-12)
    matrices = rotation.to_matrix(a).numpy()
    for found in (quaternion.from_matrix(matrices), quaternion.orientation(matrices * 0.01)):
        np.testing.assert_allclose(np.abs(np.sum(found * a.numpy(), axis=-1)), 1.0, atol=1e-12)
    stretched = matrices @ np.diag((1.0, 3.0, 0.5))
    assert (np.abs(np.sum(quaternion.orientation(stretched) * a.numpy(), axis=-1)) > 1 - 1e-12).all()
    for u, w in [(v[0], v[1]), (v[0], -v[0]), (v[0], v[0])]:
        turned = quaternion.rotate(quaternion.between(u.numpy(), w.numpy()), u.numpy())
        np.testing.assert_allclose(turned / np.linalg.norm(turned), w / w.norm(), atol=1e-9)
    flipped = a.clone()
    flipped[10:20] *= -1
    smooth = quaternion.continuous(np.stack((flipped.numpy(), flipped.numpy()), axis=1))
    assert (np.sum(smooth[1:] * smooth[:-1], axis=-1) >= 0).all()
    np.testing.assert_allclose(np.abs(np.sum(smooth[:, 0] * flipped.numpy(), axis=-1)), 1.0, atol=1e-12)


def test_bone_maps_cover_every_joint_once():
    for bones in bonemaps.MAPS.values():
        assert len(bones) == len(JOINTS) == len(set(bones))
        assert bonemaps.match([*bones, "another"]) == dict(enumerate(bones))
    assert bonemaps.match(["pelvis", "spine1", "head"]) == {}
    assert "thigh.L" in bonemaps.missing(["pelvis"])


@pytest.mark.parametrize("degrees", [(0, 0), (90, 0), (0, 180), (-90, 90)])
def test_a_rig_on_other_axes_is_stood_up(degrees):
    """Quarter turns about x and then z: files with y up, characters that face backwards or sideways."""
    half_x, half_z = np.radians(degrees) / 2
    tilt, yaw = (np.cos(half_x), np.sin(half_x), 0, 0), (np.cos(half_z), 0, 0, np.sin(half_z))
    places = retarget.to_blender(joint_positions())
    shift = np.array((0.01, -0.02, 0.03))
    turned = quaternion.rotate(quaternion.mul(yaw, tilt), places) + shift
    stood = (turned - shift) @ retarget.upright(dict(enumerate(turned))).T
    np.testing.assert_allclose(stood, places, atol=1e-12)


def test_the_mannequin_is_made_of_closed_shapes_and_stands_on_the_floor():
    mesh = mannequin.build()
    edges = Counter()
    for face in mesh.faces:
        edges.update(zip(face, (*face[1:], face[0]), strict=True))
    assert max(edges.values()) == 1 and all((b, a) in edges for a, b in edges), "every edge has one face on each side"
    corners = [mesh.vertices[list(face)] for face in mesh.faces]
    volume = sum(np.dot(c[0], np.cross(c[i], c[i + 1])) for c in corners for i in range(1, len(c) - 1)) / 6
    assert 0.03 < volume < 0.09, "outward faces, and about the size of a slim body (overlaps counted twice), m3"
    assert sorted(np.concatenate(list(mesh.bones.values()))) == list(range(len(mesh.vertices)))
    assert set(mesh.bones) == set(bonemaps.FOOTLIGHT)
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    np.testing.assert_allclose((low[2], high[2]), (0.0, joint_positions()[JOINTS.index("head"), 1] + 0.16), atol=0.015)
    assert set(mesh.tones) == {mannequin.SHELL, mannequin.JOINT}
