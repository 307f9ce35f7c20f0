import math

import numpy as np
import pytest
import torch

from core.errors import FootlightError
from core.motion import features, kinematics, rotation
from core.motion.kinematics import mirror
from core.motion.layouts import BODY_LAYOUTS
from core.motion.skeleton import REST_HEIGHT, SMPL22
from core.types import Motion


def test_channels_are_named_and_complete():
    layout = features.LAYOUTS["smpl22-6d"]
    assert layout.channels == 140
    assert layout.slices["rotations"] == slice(4, 136) and layout.slices["contacts"] == slice(136, 140)
    assert features.LAYOUTS["openpose14-2d"].channels == 28
    assert features.LAYOUTS["smpl22-directions"].channels == 71


@pytest.mark.parametrize("layout", ("smpl22-6d", "smpl22-directions"))
@pytest.mark.parametrize("frames", (1, 2, 2000))
def test_encoding_is_undone_by_decoding(swaying, frames, layout):
    motion = swaying(frames)
    encoded = features.encode(motion, layout)
    assert encoded.shape == (frames, features.LAYOUTS[layout].channels)
    origin = features.origin_of(motion.rotations, motion.root)
    decoded = features.decode(encoded, layout, motion.fps, origin)
    expected = kinematics.forward(motion.rotations, motion.root)
    assert (kinematics.forward(decoded.rotations, decoded.root) - expected).abs().max() < 1e-4
    assert (features.positions_from_features(encoded, motion.fps, origin, layout) - expected).abs().max() < 1e-4
    assert torch.equal(decoded.contacts, motion.contacts)


@pytest.mark.parametrize("layout", BODY_LAYOUTS)
def test_features_do_not_depend_on_where_the_dance_stands_and_faces(swaying, layout):
    motion = swaying(50)
    turn = rotation.about("y", torch.tensor(2.0))
    rotations = motion.rotations.clone()
    rotations[:, 0] = rotation.mul(turn, rotations[:, 0])
    moved = Motion(
        rotations, rotation.rotate(turn, motion.root) + torch.tensor([3.0, 0.0, -1.0]), motion.fps, motion.contacts
    )
    torch.testing.assert_close(features.encode(moved, layout), features.encode(motion, layout), atol=1e-4, rtol=0)


@pytest.mark.parametrize("layout", BODY_LAYOUTS)
def test_positions_of_a_mirrored_dance_are_mirrored_positions(swaying, layout):
    motion = swaying(40)
    places, other = (
        features.positions_from_features(features.encode(m, layout), m.fps, layout=layout)
        for m in (motion, mirror(motion))
    )
    joints = features.LAYOUTS[layout].joints
    swap = {"left": "right", "right": "left"}
    pair = [joints.index("_".join(swap.get(word, word) for word in name.split("_"))) for name in joints]
    flip = torch.ones(places.shape[-1])
    flip[0] = -1
    torch.testing.assert_close(other, places[:, pair] * flip, atol=1e-4, rtol=0)


@pytest.mark.parametrize("layout", BODY_LAYOUTS)
def test_positions_of_every_layout_are_those_of_the_body(swaying, layout):
    """In the picture plane of the first frame, where the layout has no depth."""
    motion = swaying(40)
    places = features.positions_from_features(features.encode(motion, layout), motion.fps, layout=layout)
    start = rotation.about("y", -rotation.yaw(motion.rotations[0, 0]))
    body = kinematics.forward(motion.rotations, motion.root)
    body = rotation.rotate(start, body - motion.root[0] * torch.tensor((1.0, 0.0, 1.0)))
    known = features.LAYOUTS[layout]
    shared = [name for name in known.joints if name in SMPL22.names]
    assert places.shape == (40, len(known.joints), known.dimensions) and len(shared) >= 13
    ours = places[:, [known.joints.index(name) for name in shared]]
    theirs = body[:, [SMPL22.index(name) for name in shared], : known.dimensions]
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)
    assert all(parent < joint for joint, parent in enumerate(known.parents))


def test_velocities_have_their_units():
    frames, fps = 40, 20.0
    time = torch.arange(frames) / fps
    rotations = rotation.identity(frames, 22)
    rotations[:, 0] = rotation.about("y", math.pi / 2 + 0.5 * time)  # facing +x at first, turning at 0.5 rad/s
    root = torch.stack((torch.zeros(frames), torch.full((frames,), REST_HEIGHT), time * 0), -1)
    parts = features.LAYOUTS["smpl22-6d"].split(features.encode(Motion(rotations, root, fps)))
    np.testing.assert_allclose(parts["root_yaw_velocity"], 0.5, atol=1e-4)
    rotations[:, 0] = rotation.about("y", torch.tensor(math.pi / 2))
    root[:, 0] = 1.5 * time
    parts = features.LAYOUTS["smpl22-6d"].split(features.encode(Motion(rotations, root, fps)))
    np.testing.assert_allclose(parts["root_velocity"], np.tile([0.0, 1.5], (frames, 1)), atol=1e-4)  # ahead is z
    np.testing.assert_allclose(parts["root_height"], REST_HEIGHT)


@pytest.mark.parametrize("layout", ("smpl22-6d", "smpl22-directions"))
def test_batches_and_gradients_pass_through(swaying, layout):
    one, other = swaying(30, seed=1), swaying(30, seed=2)
    batch = torch.stack([features.encode(motion, layout) for motion in (one, other)]).requires_grad_()
    places = features.positions_from_features(batch, layout=layout)
    torch.testing.assert_close(places[1], features.positions_from_features(batch[1], layout=layout))
    rotations, root, _ = features.decode_arrays(batch, layout=layout)
    torch.testing.assert_close(kinematics.forward(rotations, root), places, atol=1e-4, rtol=0)
    again = features.encode_arrays(rotations, root, torch.stack((one.contacts, other.contacts)), one.fps, layout)
    torch.testing.assert_close(again, batch, atol=1e-4, rtol=0)
    (places.square().sum() + again.square().sum()).backward()
    assert torch.isfinite(batch.grad).all() and batch.grad[:, 1:, :4].abs().min() > 0


@pytest.mark.parametrize("layout", ("smpl22-6d", "smpl22-directions"))
def test_decoding_survives_whatever_a_network_puts_out(layout):
    generator, channels = torch.Generator().manual_seed(0), features.LAYOUTS[layout].channels
    motion = features.decode(3 * torch.randn(100, channels, generator=generator), layout)
    torch.testing.assert_close(motion.rotations.norm(dim=-1), torch.ones(100, 22))
    assert motion.contacts.min() >= 0 and motion.contacts.max() <= 1
    assert torch.isfinite(features.decode(torch.zeros(10, channels), layout).rotations).all()


def test_the_flat_layout_shows_the_dancer_from_the_front():
    rest = Motion(rotation.identity(2, 22), torch.tensor([[4.0, REST_HEIGHT, 1.0]] * 2), 30.0)
    turned = Motion(rest.rotations.clone(), rest.root, 30.0)
    turned.rotations[:, 0] = rotation.about("y", torch.tensor(1.0))
    for motion in (rest, turned):  # the camera stands before the first frame
        flat = features.encode(motion, "openpose14-2d").unflatten(-1, (14, 2))[0]
        seen = dict(zip(features.OPENPOSE14, flat.tolist(), strict=True))
        np.testing.assert_allclose(seen["left_wrist"], (0.695, 1.40), atol=1e-3)
        np.testing.assert_allclose(seen["right_ankle"], (-0.085, 0.08), atol=1e-3)
        assert abs(seen["nose"][0]) < 1e-3 and 1.5 < seen["nose"][1] < 1.65


def test_wrong_layouts_are_named():
    with pytest.raises(FootlightError, match="smpl22-6d"):
        features.encode(Motion(rotation.identity(2, 22), torch.zeros(2, 3), 30.0), "other")
    with pytest.raises(FootlightError, match="28 channels"):
        features.decode(torch.zeros(2, 28))
    with pytest.raises(FootlightError, match=r"cannot be turned back.*smpl22-6d or smpl22-directions"):
        features.decode(torch.zeros(2, 28), "openpose14-2d")
