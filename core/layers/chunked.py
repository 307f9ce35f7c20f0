"""Long sequences through a network with flat memory: overlapping chunks, cross-faded."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor


def starts(total: int, chunk: int, overlap: int) -> list[int]:
    """Where chunks of ``chunk`` frames begin that cover ``total`` frames and share at least ``overlap`` with the next.

    The last one is moved back to end at the end. One chunk suffices when ``total <= chunk``.
    """
    assert 0 <= overlap < chunk, "chunks need to advance"
    if total <= chunk:
        return [0]
    return [*range(0, total - chunk, chunk - overlap), total - chunk]


def raised_cosine(frames: int, fade: int, left: bool = True, right: bool = True) -> Tensor:
    """(frames,) weights: ones that fall towards (never to) zero over ``fade`` frames at the ends asked for.

    Two that overlap by ``fade`` frames add up to one there. ``fade`` is at most ``frames``.
    """
    ramp = 0.5 - 0.5 * torch.cos(math.pi * (torch.arange(fade) + 0.5) / max(1, fade))
    weights = torch.ones(frames)
    if left:
        weights[:fade] *= ramp
    if right:
        weights[frames - fade :] *= ramp.flip(0)
    return weights


def chunked(
    function: Callable[[Tensor], Tensor], x: Tensor, scale: float, chunk: int, overlap: int, margin: int = 0
) -> Tensor:
    """``function`` over ``x`` (b, t, c), chunk by chunk of ``chunk`` frames that share ``overlap``; (b, t * scale, c').

    scale: output frames per input frame (2.0 for a decoder that doubles, 0.25 for an encoder of stride 4); t, chunk,
    overlap and margin must come to whole output frames. margin: input frames at a chunk's inner ends that are not
    used, because the function sees too little beyond them; the cross-fade spans the rest of the overlap. A function
    whose answer depends on at most ``margin`` frames around gives exactly what it would give in one piece.
    """
    total = x.shape[1]
    if total <= chunk:
        return function(x)
    assert 0 <= 2 * margin < overlap < chunk, "an overlap needs room for both margins and a fade"
    out_total, out_chunk, out_overlap, out_margin = (_whole(n * scale) for n in (total, chunk, overlap, margin))
    result, weight = None, torch.zeros(out_total, 1, device=x.device)
    for start in starts(total, chunk, overlap):
        left, right = start > 0, start + chunk < total
        y = function(x[:, start : start + chunk])  #                   b t' c'
        first, last = out_margin * left, out_chunk - out_margin * right
        window = raised_cosine(last - first, min(out_overlap - 2 * out_margin, last - first), left, right)
        window = window[:, None].to(x.device)
        if result is None:
            result = y.new_zeros(y.shape[0], out_total, y.shape[2])
        place = slice(_whole(start * scale) + first, _whole(start * scale) + last)
        result[:, place] += window.to(y.dtype) * y[:, first:last]
        weight[place] += window
    return result / weight.to(result.dtype)


def _whole(frames: float) -> int:
    assert abs(frames - round(frames)) < 1e-6, f"{frames} is no whole number of output frames"
    return round(frames)
