"""The mannequin's shape."""

from collections import Counter

import numpy as np

from blender_addon.scene import mannequin
from core.rig.skeleton import JOINTS, standing


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
    assert set(mesh.bones) == set(mannequin.BONES)
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    np.testing.assert_allclose((low[2], high[2]), (0.0, standing()[JOINTS.index("head"), 1] + 0.16), atol=0.015)
    assert set(mesh.tones) == {mannequin.SHELL, mannequin.JOINT}
