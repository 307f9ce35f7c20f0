"""Makes a student dance as much as capture does: its dances of a style have the footwork of its capture on average.

A student learns a map from noise to its teacher's dances. Where these go down too far or step too often, so do its own,
and to learn from the better ones more often changes nothing, because every noise still has one dance. So the means
themselves are a loss. The student dances from noise of its own, and what its dances of a style do is compared with
capture. The mean is over many batches, as moving averages of the moments (Li et al. 2015, "Generative moment matching
networks", for the idea of the loss); the gradient is that of the dances of this batch.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from core.metrics import footwork
from core.motion.features import positions_from_features
from core.motion.skeleton import LEFT_LEG, RIGHT_LEG
from core.rig.stepping import STEP_SPEED
from train.tasks.decoded import Bodies

NAMES = ("stepping", "travel", "height_range", "knee_range", "speed", "peak")
FEWEST = 8  # windows of capture that a style needs
KEPT = 0.98  # of the moving average, for each dance of a style
MOST = 1.0  # by which a mean counts as off, as a share of capture's: a style that is far off does not drown the others
_PEAK = 0.99  # quantile of the speed of the fastest joint
_TRAVEL = 0.5  # seconds over which the pelvis travels
_SOFT = 0.1  # metres per second around ``STEP_SPEED`` in which an ankle steps in part


def measures(motions: Tensor, bodies: Bodies) -> Tensor:
    """``NAMES`` (b, 6) of motion features (b, t, c), differentiable: the share of time in which an ankle steps, the
    speed of the pelvis on the floor (m/s), the ranges of its height (m) and of the knees' bend (rad), the joints' mean
    speed and the peak of the fastest (m/s). They are near ``core.metrics.footwork``, but smooth.
    """
    places, fps = positions_from_features(motions, bodies.fps, layout=bodies.layout), bodies.fps  # b t j 3
    speed = places.diff(dim=1).norm(dim=-1) * fps
    ankles = speed[:, :, (LEFT_LEG[2], RIGHT_LEG[2])]
    ahead = max(1, min(round(_TRAVEL * fps), (places.shape[1] - 1) // 2))
    path = places[:, :, 0, (0, 2)]
    found = (
        torch.sigmoid((ankles - STEP_SPEED) / _SOFT).mean(dim=(1, 2)),
        (path[:, ahead:] - path[:, :-ahead]).norm(dim=-1).mean(dim=1) * fps / ahead,
        footwork.spread(places[:, :, 0, 1], dim=1),
        footwork.spread(footwork.knee_bends(places), dim=1).mean(dim=-1),
        speed.mean(dim=(1, 2)),
        speed.amax(dim=2).quantile(_PEAK, dim=1),
    )
    return torch.stack(found, dim=1)


def captured(clips: Iterable[dict], frames: int, styles: int, bodies: Bodies) -> Tensor:
    """The mean ``measures`` (styles, 6) of the capture of each style in windows of so many frames, nan for a style
    with fewer windows than ``FEWEST``.

    clips: with the ``features`` (t, c) of a motion and its ``style``. A motion that is in several counts once.
    """
    seen: set[int] = set()
    windows = [list[Tensor]() for _ in range(styles)]
    for clip in clips:
        motion, style = clip["features"].float().cpu(), clip["style"]
        content = hash(motion.numpy().tobytes())
        if content not in seen and style >= 0:
            seen.add(content)
            windows[style].extend(motion.split(frames)[: len(motion) // frames])
    unknown = torch.full((len(NAMES),), torch.nan)
    return torch.stack(
        [measures(torch.stack(some), bodies).mean(dim=0) if len(some) >= FEWEST else unknown for some in windows]
    )


class Moments(nn.Module):
    """The loss on means.

    wanted: (s, 6) the means of capture by style, see ``captured``.
    """

    wanted: Tensor
    means: Tensor
    seen: Tensor

    def __init__(self, wanted: Tensor) -> None:
        super().__init__()
        self.register_buffer("wanted", wanted, persistent=False)
        self.register_buffer("means", torch.ones_like(wanted), persistent=False)  # as multiples of those
        self.register_buffer("seen", torch.zeros(len(wanted)), persistent=False)

    def forward(self, found: Tensor, style: Tensor) -> Tensor:
        """The squared errors of the means of the styles that are in a batch, summed over measures.

        found: (b, 6) ``measures`` of dances.
        style: (b,) of each.
        """
        multiples = found / self.wanted[style]
        learns = torch.is_grad_enabled()  # and validation does not
        for row, whose in zip(multiples.detach(), style.tolist() if learns else [], strict=learns):
            self.seen[whose] += 1
            keep = min(KEPT, 1 - 1 / float(self.seen[whose]))
            self.means[whose] = keep * self.means[whose] + (1 - keep) * row
        off = (self.means[style] - 1).clamp(-MOST, MOST)
        # The value is that of the moving means; the gradient is theirs, as if all of it came from this batch.
        return (off.square() + 2 * off * (multiples - multiples.detach())).sum(dim=1).mean()
