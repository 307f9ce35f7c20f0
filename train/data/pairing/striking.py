"""Pairs whose dancer strikes on the beat: the body's energy peaks there, where in other pairs the body comes to rest.

Prepared pairs are warped so that movements arrive on beats. In the theatre paper a beat is where energy peaks. The same
movement strikes when it comes a little earlier, so that the fastest moment before an arrival is on the beat. AIST++
shows both: how a genre uses the beat is measured by ``energy_on_beats`` of ``core.metrics.theatre``.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from core.motion.kinematics import forward
from core.rhythm.events import beat_strength
from train.data.dataset import Pair
from train.data.rates import HOP_SAMPLES, MEL_FPS, MOTION_FPS

FEWEST = 4  # beats of a pair whose movement can be set on them


def energy_of(positions: Tensor) -> Tensor:
    """The sum of squared joint steps (t,) of positions (t, j, 3): kinetic energy but for a factor."""
    energy = torch.gradient(positions, dim=0)[0].square().sum(dim=(1, 2))
    return energy / energy.mean().clamp_min(1e-12)


def strike_delay(pair: Pair) -> int:
    """By how many frames of the motion it has to be earlier for most energy on its beats: 0 to less than a beat."""
    if len(pair.beats) < FEWEST:
        return 0
    energy = energy_of(forward(pair.rotations, pair.root))
    period = max(1, round(float(pair.beats.diff().median()) * MOTION_FPS))
    weight = beat_strength(pair.grid(), pair.onset)
    at = (pair.beats.double() * MOTION_FPS).round().long()
    inside = at < len(energy) - period
    at, weight = at[inside], weight[inside]
    if not len(at):
        return 0
    return int(torch.stack([(energy[at + delay] * weight).sum() for delay in range(period)]).argmax())


def accented(pair: Pair, accent: str) -> Pair:
    """The pair as its dancer has an accent: as it is to "arrive", ``struck`` to "strike"."""
    return struck(pair) if accent == "strike" else pair


def struck(pair: Pair) -> Pair:
    """The pair with its motion earlier by ``strike_delay``, and as much of the music's end left out."""
    delay = strike_delay(pair)
    if not delay:
        return pair
    heard = len(pair.mel) - round(delay * MEL_FPS / MOTION_FPS)
    known = pair.beats < heard / MEL_FPS
    return replace(
        pair,
        rotations=pair.rotations[delay:],
        root=pair.root[delay:],
        contacts=pair.contacts[delay:],
        mel=pair.mel[:heard],
        onset=pair.onset[:heard],
        loudness=pair.loudness[:heard],
        beats=pair.beats[known],
        downbeats=pair.downbeats[known],
        wave=None if pair.wave is None else pair.wave[: heard * HOP_SAMPLES],
    )
