"""The values that flow through Footlight, and the glossary of their dimensions.

Shapes are written with these letters everywhere in the code:

    b  batch            t  time (frames)      c  channels
    j  joints (22)      n  number of events (beats, onsets, accents)
    s  audio samples    m  mel bands (80)
    z  latent channels  r  rhythm channels (10)

Conventions: metres, seconds, radians, y-up, right-handed. A body at rest faces +z with the left hand at +x. Quaternions
are wxyz. Public functions take time before channels, ``(b, t, c)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Waveform:
    """Mono audio.

    samples: (s,) float32 in [-1, 1]; for files also (2, s), stereo.
    rate: samples per second (Hz).
    """

    samples: Tensor
    rate: int

    @property
    def seconds(self) -> float:
        return self.samples.shape[-1] / self.rate


@dataclass(frozen=True)
class Beats:
    """Musical beats of a song, or kinematic events of a motion.

    times: (n,) seconds, strictly increasing.
    tempo: beats per minute; 0 if unknown.
    downbeats: (n,) bool, true on the first beat of a bar; None if unknown.
    strength: (n,) in [0, 1]; None if unknown.
    confidence: of tracked beats, in [0, 1]: how well they explain what sounds. Low in free rhythm and speech. None if
        unknown.
    """

    times: Tensor
    tempo: float = 0.0
    downbeats: Tensor | None = None
    strength: Tensor | None = None
    confidence: float | None = None

    @property
    def metre(self) -> int:
        """How many beats most bars have; 0 if unknown."""
        if self.downbeats is None or int(self.downbeats.sum()) < 2:
            return 0
        return int(self.downbeats.nonzero()[:, 0].diff().mode().values)

    @property
    def since_downbeat(self) -> Tensor:
        """How many beats (n,) after the last downbeat each beat comes. Before the first downbeat it is negative.

        Without a downbeat the first beat stands for it. Downbeats must not be None.
        """
        assert self.downbeats is not None
        index = torch.arange(len(self.times), device=self.downbeats.device)
        first = int(self.downbeats.int().argmax()) if len(index) else 0
        last = torch.where(self.downbeats, index, first).cummax(dim=0).values
        return index - last

    def shifted(self, seconds: float) -> Beats:
        """The same beats with times relative to an origin that is ``seconds`` later (negative: earlier)."""
        return replace(self, times=self.times - seconds)

    def between(self, start: float, end: float) -> Beats:
        """The beats in ``[start, end)``, with unchanged times."""
        inside = (self.times >= start) & (self.times < end)
        return replace(
            self,
            times=self.times[inside],
            downbeats=None if self.downbeats is None else self.downbeats[inside],
            strength=None if self.strength is None else self.strength[inside],
        )


@dataclass(frozen=True)
class Motion:
    """The motion of a skeleton, which is ``core.motion.skeleton.SMPL22`` unless a function says otherwise.

    rotations: (t, j, 4) unit quaternions, wxyz, each joint local to its parent; the identity is the T-pose.
    root: (t, 3) world position of the pelvis, metres.
    fps: frames per second.
    contacts: (t, 4) in [0, 1]: left ankle, left toe, right ankle, right toe on the floor; None if unknown.
    """

    rotations: Tensor
    root: Tensor
    fps: float
    contacts: Tensor | None = None

    @property
    def frames(self) -> int:
        return self.root.shape[0]

    @property
    def seconds(self) -> float:
        return self.frames / self.fps

    def cut(self, start: int, end: int) -> Motion:
        """The motion of frames ``[start, end)``."""
        contacts = None if self.contacts is None else self.contacts[start:end]
        return replace(self, rotations=self.rotations[start:end], root=self.root[start:end], contacts=contacts)


@dataclass(frozen=True)
class Condition:
    """What a denoiser is conditioned on. Every part may be absent.

    context: modality -> (b, t, z) latents of other modalities; those of the music for a dance.
    rhythm: (b, t, r) rhythm features; see ``core.rhythm.features.RHYTHM_CHANNELS``.
    style: (b, styles) weights, which in training add up to 1; None is the learned default style.
    observed: (b, t, z) latents of what is given. Parts of the body that are not are at their mean there
        (``core.motion.body_parts.shown``).
    observed_mask: (b, t, 1) 1 where everything is given, else 0; or (b, t, parts) 1 for each part that is given.
    keep: (b,) bool. Where it is false, context, rhythm, style, steering, look and cues are replaced by nulls, most of
        them learned, for classifier-free guidance (Ho & Salimans 2022). Observations stay.
    guidance: (b,) strength of guidance, for networks whose estimates are guided already; None is 1, no guidance.
    steering: (b, t, p) scheduling vectors of the theatre model (``core.theatre.scheduler``).
    look: (b, l) the style vector of a look (``core.theatre.visual``).
    cues: (b, t, k) of a song's sections and the dancer's energy (``core.light.cues``).
    """

    context: Mapping[str, Tensor] = field(default_factory=dict)
    rhythm: Tensor | None = None
    style: Tensor | None = None
    observed: Tensor | None = None
    observed_mask: Tensor | None = None
    keep: Tensor | None = None
    guidance: Tensor | None = None
    steering: Tensor | None = None
    look: Tensor | None = None
    cues: Tensor | None = None

    def map(self, function: Callable[[Tensor], Tensor]) -> Condition:
        """Apply ``function`` to every tensor that is present."""
        return Condition.joined([self], lambda parts: function(parts[0]))

    def window(self, start: int, end: int) -> Condition:
        """The condition with only frames ``[start, end)`` of every part that has a time axis."""

        def cut(value: Tensor | None) -> Any:
            return None if value is None else value[:, start:end]

        return replace(
            self,
            context={name: cut(latents) for name, latents in self.context.items()},
            rhythm=cut(self.rhythm),
            observed=cut(self.observed),
            observed_mask=cut(self.observed_mask),
            steering=cut(self.steering),
            cues=cut(self.cues),
        )

    @staticmethod
    def joined(conditions: Sequence[Condition], function: Callable[[list[Tensor]], Tensor]) -> Condition:
        """Combine conditions that have the same parts: ``function`` combines each list of corresponding tensors."""
        first = conditions[0]
        parts = {
            name: function([getattr(one, name) for one in conditions])
            for name in first.__dataclass_fields__
            if name != "context" and getattr(first, name) is not None
        }
        context = {name: function([one.context[name] for one in conditions]) for name in first.context}
        return Condition(context, **parts)
