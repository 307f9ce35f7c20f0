"""Chunks of a long sequence: exact for what is local, bounded in length, everywhere covered."""

from itertools import pairwise

import pytest
import torch
from torch.nn import functional

from core.layers.chunked import chunked, covering, raised_cosine, starts

WEIGHT = torch.randn(3, 2, 7, generator=torch.Generator().manual_seed(0))


def smooth(x):
    """Sees three frames to either side."""
    return functional.conv1d(x.transpose(1, 2), WEIGHT, padding=3).transpose(1, 2)


def halve(x):
    y = smooth(x)
    return 0.5 * (y[:, 0::2] + y[:, 1::2])


def double(x):
    return smooth(x).repeat_interleave(2, dim=1)


@pytest.mark.parametrize(("function", "scale"), [(smooth, 1.0), (halve, 0.5), (double, 2.0)])
@pytest.mark.parametrize("total", [40, 64, 66, 130, 250])
@pytest.mark.parametrize("together", [1, 3])
def test_a_local_function_is_unchanged(function, scale, total, together):
    x = torch.randn(2, total, 2, generator=torch.Generator().manual_seed(total))
    shapes = []

    def watched(piece):
        shapes.append(piece.shape)
        return function(piece)

    result = chunked(watched, x, scale, chunk=64, overlap=16, margin=4, together=together)
    torch.testing.assert_close(result, function(x), atol=1e-5, rtol=1e-5)
    assert max(length for _, length, _ in shapes) <= 64
    assert sum(batch for batch, _, _ in shapes) == 2 * len(starts(total, 64, 16)) and max(shapes)[0] <= 2 * together


def test_disagreeing_chunks_are_faded_into_each_other():
    level = iter((0.0, 1.0))
    result = chunked(lambda x: torch.full_like(x, next(level)), torch.zeros(1, 100, 1), 1.0, 60, 20, margin=4)[0, :, 0]
    assert (result[:44] == 0).all() and (result[56:] == 1).all()
    step = result.diff()
    assert (step >= 0).all() and float(step.max()) < 0.15  # a fade over 12 frames, not a jump


@pytest.mark.parametrize("total", [1, 10, 11, 19, 20, 21, 95])
def test_chunks_cover_everything_and_share_enough(total):
    begins = starts(total, 10, 4)
    assert begins[0] == 0 and begins[-1] == max(0, total - 10)
    assert all(0 < later - earlier <= 6 for earlier, later in pairwise(begins))


def test_fades_add_up_to_one():
    left, right = raised_cosine(20, 8), raised_cosine(20, 8)
    torch.testing.assert_close(left[-8:] + right[:8], torch.ones(8))
    assert (left > 0).all() and torch.equal(raised_cosine(5, 2, left=False, right=False), torch.ones(5))


def settled(part, whole):
    """How many frames (1, t, c) at the beginning are the same."""
    return int((part == whole[:, : part.shape[1]]).all(-1)[0].int().cummin(0).values.sum())


@pytest.mark.parametrize("frames", [1, 52, 53, 100, 101, 149, 200])
@pytest.mark.parametrize(("overlap", "margin"), [(16, 4), (24, 0)])
def test_a_beginning_that_covers_frames_gives_them_as_the_whole_does_and_no_shorter_one(frames, overlap, margin):
    """Even where a function hears all of its chunk."""
    x = torch.randn(1, 500, 2, generator=torch.Generator().manual_seed(frames), dtype=torch.float64)
    length = covering(frames, 64, overlap, margin)

    def heard(upto):
        return chunked(lambda piece: piece * piece.mean(1, keepdim=True), x[:, :upto], 1.0, 64, overlap, margin)

    assert frames <= settled(heard(length), heard(500)) < length
    if length > 64:
        assert settled(heard(length - 64 + overlap), heard(500)) < frames
