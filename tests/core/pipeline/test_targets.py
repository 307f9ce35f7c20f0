import torch

from core.edits.parts import joints_of
from core.motion import features, rotation
from core.motion.layouts import layout_named
from core.pipeline.targets import Targets

FREE = slice(60, 160)
LAYOUT = layout_named("smpl22-6d")


def targets(motion, parts=None):
    """What is kept of a motion where a range, or parts of the body in it, are free."""
    held = torch.ones(motion.frames, 22, dtype=torch.bool)
    held[FREE, list(joints_of(parts)) if parts else slice(None)] = False
    kept = held[:, :1].expand(-1, LAYOUT.channels).clone()
    kept[:, LAYOUT.slices["rotations"]] = held.repeat_interleave(6, dim=1)
    found = features.encode(motion, LAYOUT)
    return Targets(found, kept, LAYOUT, motion.fps, features.origin_of(motion.rotations, motion.root))


def other(found):
    """Features of another motion, which turns and goes elsewhere."""
    made = found + 0.1 * torch.randn(found.shape, generator=torch.Generator().manual_seed(0))
    made[:, LAYOUT.slices["root_yaw_velocity"]] += 0.3
    made[:, LAYOUT.slices["root_velocity"]] += torch.tensor([0.2, -0.3])
    return made


def arrival(one, made):
    """Where the path of features goes while it is free, as the dancer sees it who sets out: turn and way."""
    heading, root = one.path(made)
    first, last = FREE.start - 1, FREE.stop
    return heading[last] - heading[first], rotation.rotate(
        rotation.about("y", -heading[first]), root[last] - root[first]
    )


def test_what_is_kept_is_met_and_a_free_path_arrives(swaying):
    one = targets(swaying(220, 31.25))
    made = other(one.features)
    met = one.met(made)
    assert torch.equal(met[one.kept], one.features[one.kept])
    poses = ~one.kept & (torch.arange(LAYOUT.channels) >= LAYOUT.slices["root_height"].start)
    assert torch.equal(met[poses], made[poses])
    for before, after, wanted in zip(arrival(one, made), arrival(one, met), arrival(one, one.features), strict=True):
        assert float((after - wanted).norm()) < 0.05 * float((before - wanted).norm())


def test_a_path_that_is_kept_is_not_bent(swaying):
    one = targets(swaying(220, 31.25), ("left arm",))
    made = other(one.features)
    assert torch.equal(one.met(made), torch.where(one.kept, one.features, made))
