import pytest
import torch

from core.config import preset
from core.motion.body_parts import BODY_PARTS, part_of_channels, shown
from core.motion.features import encode
from core.motion.layouts import layout_named
from core.motion.skeleton import SMPL22
from core.types import Motion

LAYOUT = layout_named("smpl22-6d")


def test_every_joint_belongs_to_one_part():
    assert sorted(name for joints in BODY_PARTS.values() for name in joints) == sorted(SMPL22.names)
    assert preset("default").denoisers["motion"].observed_parts == len(BODY_PARTS)


@pytest.mark.parametrize("part", BODY_PARTS)
def test_what_is_shown_moves_as_it_did_and_the_rest_does_not(part):
    """A random dance of which one part is shown: joints of that part turn as before, all others stand."""
    generator = torch.Generator().manual_seed(0)
    rotations = torch.nn.functional.normalize(torch.randn(30, 22, 4, generator=generator), dim=-1)
    motion = Motion(rotations, torch.rand(30, 3, generator=generator).cumsum(0), 31.25, torch.ones(30, 4))
    features = encode(motion, LAYOUT)[None]
    index = list(BODY_PARTS).index(part)
    given = torch.zeros(1, 30, len(BODY_PARTS))
    given[:, :, index] = 1
    seen = LAYOUT.split(shown(features, given, features.mean(dim=(0, 1)), LAYOUT))
    was = LAYOUT.split(features)
    joints = {SMPL22.index(name) for name in BODY_PARTS[part]}
    for joint in range(22):
        now, before = (x["rotations"][0].view(30, 22, 6)[:, joint] for x in (seen, was))
        assert torch.equal(now, before) if joint in joints else float(now.std(dim=0).max()) < 1e-6
    for name in ("root_velocity", "root_height", "root_yaw_velocity", "contacts"):
        assert torch.equal(seen[name], was[name]) == (part == "legs") or name == "contacts"


def test_everything_shown_is_the_motion_itself():
    features = torch.randn(2, 7, LAYOUT.channels)
    assert torch.equal(shown(features, torch.ones(2, 7, len(BODY_PARTS)), torch.zeros(140), LAYOUT), features)


def test_a_layout_of_directions_has_no_single_parts():
    with pytest.raises(ValueError, match="smpl22-directions"):
        part_of_channels(layout_named("smpl22-directions"))
