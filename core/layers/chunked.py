"""Runs a network over a long sequence in constant memory: in overlapping chunks that are cross-faded."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor


def starts(total: int, chunk: int, overlap: int) -> list[int]:
    """First frames of the chunks that cover a sequence. The last chunk is moved back to end where the sequence ends.

    total: frames of the sequence. Up to ``chunk`` frames are one chunk.
    chunk: frames of a chunk.
    overlap: frames that neighbouring chunks share at least.
    """
    assert 0 <= overlap < chunk, "chunks need to advance"
    if total <= chunk:
        return [0]
    return [*range(0, total - chunk, chunk - overlap), total - chunk]


def covering(frames: int, chunk: int, overlap: int, margin: int = 0) -> int:
    """The shortest beginning of a long sequence of which the first ``frames`` come out as they do of the whole.

    It ends where one of the whole's chunks does, so that no chunk is moved. The last one lacks its fade to the next.

    frames: of the input.
    chunk: frames of a chunk.
    overlap: frames that neighbouring chunks share.
    margin: as in ``chunked``.
    """
    return chunk + (chunk - overlap) * max(0, math.ceil((frames + overlap - margin - chunk) / (chunk - overlap)))


def raised_cosine(frames: int, fade: int, left: bool = True, right: bool = True) -> Tensor:
    """Weights (frames,): 1 inside, falling towards 0 but never reaching it at the ends that are to fade.

    Two windows that overlap by ``fade`` frames add up to 1 there.

    frames: length of the window.
    fade: length of the ramp at each end, at most ``frames``.
    left: whether the beginning fades.
    right: whether the end fades.
    """
    ramp = 0.5 - 0.5 * torch.cos(math.pi * (torch.arange(fade) + 0.5) / max(1, fade))
    weights = torch.ones(frames)
    if left:
        weights[:fade] *= ramp
    if right:
        weights[frames - fade :] *= ramp.flip(0)
    return weights


def chunked(
    function: Callable[[Tensor], Tensor],
    x: Tensor,
    scale: float,
    chunk: int,
    overlap: int,
    margin: int = 0,
    together: int = 1,
) -> Tensor:
    """Apply ``function`` to ``x`` chunk by chunk and cross-fade the results; returns (b, t * scale, c').

    A function whose output depends on at most ``margin`` frames to either side gives exactly what it gives for the
    whole sequence. t, ``chunk``, ``overlap`` and ``margin`` must each correspond to whole output frames.

    function: (b, chunk, c) -> (b, chunk * scale, c'); with ``together``, for up to so many times as large a batch.
    x: (b, t, c).
    scale: output frames per input frame, e.g. 2.0 for a decoder that doubles, 0.25 for an encoder of stride 4.
    chunk: input frames of a chunk.
    overlap: input frames that neighbouring chunks share at least.
    margin: input frames at a chunk's inner ends whose results are dropped, because the function lacks context there.
        The cross-fade spans the rest of the overlap.
    together: chunks that are one batch of ``function``, which is faster and needs more memory.
    """
    total = x.shape[1]
    if total <= chunk:
        return function(x)
    assert 0 <= 2 * margin < overlap < chunk, "an overlap needs room for both margins and a fade"
    out_total, out_chunk, out_overlap, out_margin = (_whole(n * scale) for n in (total, chunk, overlap, margin))
    result, weight = x.new_zeros(0), torch.zeros(out_total, 1, device=x.device)
    begins = starts(total, chunk, overlap)
    for some in (begins[i : i + together] for i in range(0, len(begins), together)):
        made = function(torch.cat([x[:, start : start + chunk] for start in some]))  #    n*b t' c'
        for start, y in zip(some, made.unflatten(0, (len(some), -1)), strict=True):
            left, right = start > 0, start + chunk < total
            first, last = out_margin * left, out_chunk - out_margin * right
            window = raised_cosine(last - first, min(out_overlap - 2 * out_margin, last - first), left, right)
            window = window[:, None].to(x.device)
            if start == 0:
                result = y.new_zeros(y.shape[0], out_total, y.shape[2])
            place = slice(_whole(start * scale) + first, _whole(start * scale) + last)
            result[:, place] += window.to(y.dtype) * y[:, first:last]
            weight[place] += window
    return result / weight.to(result.dtype)


def _whole(frames: float) -> int:
    assert abs(frames - round(frames)) < 1e-6, f"{frames} is not a whole number of output frames"
    return round(frames)
