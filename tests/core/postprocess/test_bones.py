import torch

from core.postprocess.bones import restore


def test_a_bone_too_long_is_set_to_its_mean_and_takes_its_limb_along():
    positions = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]).repeat(10, 1, 1)
    positions[3, 1:] += torch.tensor([1.0, 0.0])  # this frame's first bone is 2 long; the mean becomes 1.1
    out = restore(positions, (-1, 0, 1))
    assert torch.allclose(out[3], torch.tensor([[0.0, 0.0], [1.1, 0.0], [1.1, 1.0]]))
    kept = [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert torch.equal(out[kept], positions[kept])
