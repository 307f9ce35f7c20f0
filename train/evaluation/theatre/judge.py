"""What one theatre model's encoders make of performances, whoever made them: the unified space, styles, and frames.

The judge is the first theatre that is compared. It has learned its space and its styles from shows that rules wrote, so
its CMC and SCI say how near a performance is to what the judge knows. They are not an opinion from outside.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from core import pipeline
from core.metrics import theatre as metrics
from core.pipeline.lit_song import song_rows
from core.pipeline.theatre import KnownLight, known_light, known_motion
from core.show.show import Show
from core.theatre.palettes import EVERY, palette_of_light
from core.theatre.slices import Slicing, music_rows
from core.theatre.space import Triple
from core.types import Motion
from train.data.lighting import at_rate
from train.data.painted import paint
from train.evaluation.theatre.scenes import Scene

EMBEDDING = "the judge's style encoder, on painted frames of the stage"
CLIP = 16  # frames of a video clip, about four seconds
CLIP_STEP = 8


class Judge:
    """The encoders of a theatre model. Raises FootlightError for a model without theatre."""

    def __init__(self, model: pipeline.Model) -> None:
        self.model, self.theatre, self.slicing = model, model.check_lights(), Slicing.of(model.config)
        assert model.config.theatre is not None
        self.looks = model.config.theatre.looks

    @torch.no_grad()
    def vectors(self, scene: Scene, motion: Motion, show: Show) -> Triple:
        """Music, motion and light (s, k) of a performance in the unified space, s whole time slices."""
        fps, length = self.model.config.latent_fps, self.slicing.latents
        values = torch.from_numpy(at_rate(show.values, show.fps, fps))
        frames = min(len(values), int(scene.seconds * fps)) // length * length
        rows = self._rows(scene, frames)
        frames = min(frames, len(rows) * length)
        music = self.theatre.space("music", self.theatre.encoded("music", rows[None].to(self.model.device)))
        moved = known_motion(self.model, self.theatre, motion, frames).vectors
        lit = known_light(self.model, self.theatre, KnownLight(values[:frames]), frames).vectors
        assert moved is not None and lit is not None
        count = frames // length
        return music[0, :count].cpu(), moved[0, :count].cpu(), lit[0, :count].cpu()

    def _rows(self, scene: Scene, frames: int) -> Tensor:
        if scene.excerpt is not None:
            return song_rows(self.model, scene.excerpt.waveform, scene.rhythm, frames)
        assert scene.mel is not None
        return music_rows(scene.mel.float(), scene.beats, scene.rhythm.onset, self.slicing)

    @torch.no_grad()
    def style(self, show: Show, look: str) -> dict[str, float]:
        """SCI of a show against the look that it was to have: see ``core.metrics.theatre.sci_among``."""
        values = torch.from_numpy(show.values)[None].to(self.model.device)
        style = self.theatre.style
        made = style.of_palettes(*palette_of_light(values))[0].cpu()
        return metrics.sci_among(made, style.prototypes.cpu(), self.looks.index(look))

    @torch.no_grad()
    def frames(self, show: Show) -> Tensor:
        """Style vectors (n, style) of painted frames of a show, about four a second. The figure stands still."""
        pictures = [paint(values, torch.Generator().manual_seed(0)) for values in show.values[::EVERY]]
        return self.theatre.style.of_pictures(torch.stack(pictures).to(self.model.device)).double().cpu()


def clips_of(frames: Tensor) -> Tensor:
    """Video clips (m, 2 d) of embedded frames (n, d): the mean of ``CLIP`` frames, and that of their steps' sizes.

    The same frames in another order have the same mean and other steps.
    """
    pieces = frames.unfold(0, min(CLIP, len(frames)), CLIP_STEP)  # m d t
    return torch.cat([pieces.mean(dim=-1), pieces.diff(dim=-1).abs().mean(dim=-1)], dim=-1)


def strangers(triples: dict[str, Triple]) -> float:
    """The mean cosine of vectors of different modalities that belong to different songs: shuffled triples.

    triples: by song.
    """
    means = {song: [vectors.double().mean(dim=0) for vectors in triple] for song, triple in triples.items()}
    cosines = [
        float(means[a][i] @ means[b][j])
        for a in means
        for b in means
        if a != b
        for i in range(3)
        for j in range(3)
        if i != j
    ]
    return float(np.mean(cosines)) if cosines else float("nan")
