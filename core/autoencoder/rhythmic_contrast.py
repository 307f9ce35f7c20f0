"""Rhythmic contrastive learning: aligns motion and music of the same moment in latent space (MoMu-Diffusion eq. 3-4).

From each motion-music pair, clips are chosen that differ in time and in kinematic amplitude. The latents of a clip's
motion should resemble those of its own music more than those of the other clips, and vice versa.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.errors import FootlightError


def choose_clips(amplitude: Tensor, clips: int, length: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Choose clips that differ in time and amplitude; returns their first frames and maximum amplitudes, (b, clips).

    Candidates are placed at random without overlap. Their maximum amplitudes are sorted into as many quantile
    categories as there are clips to choose, and one is drawn from each. The clips are in rising order of amplitude.

    amplitude: (b, t) kinematic amplitude at the frame rate of the latents.
    clips: number of clips.
    length: latent frames of a clip.
    generator: draws the clips.

    Raises FootlightError when t is too short.
    """
    b, t = amplitude.shape
    if clips * length > t:
        raise FootlightError(
            f"{clips} clips of {length} frames do not fit into {t} latent frames; train on longer crops or fewer clips"
        )
    # Candidates cover three quarters of the time, so that they can shift. Every category has the same number.
    candidates = max(1, (t * 3 // 4) // (length * clips)) * clips
    device = generator.device
    slack = torch.rand(b, candidates, generator=generator, device=device) * (t - candidates * length + 1)
    begin = slack.long().sort(dim=1).values + torch.arange(candidates, device=device) * length
    begin = begin.to(amplitude.device)  #                              b n
    greatest = _cut(amplitude[..., None], begin, length)[..., 0].amax(dim=2)
    order = greatest.argsort(dim=1, stable=True).reshape(b, clips, -1)
    one = torch.randint(order.shape[2], (b, clips, 1), generator=generator, device=device).to(order.device)
    chosen = order.gather(2, one)[..., 0]
    return begin.gather(1, chosen), greatest.gather(1, chosen)


def _cut(x: Tensor, begin: Tensor, length: int) -> Tensor:
    """Clips (b, n, length, c) of a sequence (b, t, c) that start at ``begin`` (b, n)."""
    frames = begin[..., None] + torch.arange(length, device=x.device)
    batch = torch.arange(x.shape[0], device=x.device)[:, None, None]
    return x[batch, frames]


def rhythmic_contrast(
    motion: Tensor,
    music: Tensor,
    amplitude: Tensor,
    generator: torch.Generator,
    clips: int = 8,
    length: int = 4,
    temperature: float = 0.1,
) -> Tensor:
    """Symmetric InfoNCE loss () over the clips of each pair; log(clips) is chance level.

    Clips of equal amplitude (a dancer who stands still) belong to one category and are not contrasted.

    motion: (b, t, c) latents.
    music: (b, t, c) latents in the same space.
    amplitude: (b, t) kinematic amplitude in [0, 1].
    generator: draws the clips.
    clips: clips per pair.
    length: latent frames of a clip.
    temperature: of the softmax.

    Raises FootlightError when t is too short. MoMu-Diffusion, eq. 3-4.
    """
    begin, greatest = choose_clips(amplitude, clips, length, generator)
    moved = functional.normalize(_cut(motion, begin, length).amax(dim=2).float(), dim=-1)  # b n c, eq. 3
    heard = functional.normalize(_cut(music, begin, length).amax(dim=2).float(), dim=-1)
    alike = moved @ heard.transpose(1, 2) / temperature  #              b n n
    same = (greatest[:, :, None] - greatest[:, None, :]).abs() < 1e-6
    same = same & ~torch.eye(clips, dtype=torch.bool, device=same.device)
    alike = alike.masked_fill(same, float("-inf"))
    rows, columns = (torch.log_softmax(alike, dim=d).diagonal(dim1=1, dim2=2) for d in (2, 1))
    return -0.5 * (rows + columns).mean()


class RhythmicContrast(nn.Module):
    """``rhythmic_contrast`` on latents of different widths.

    The paper's latents both have 20 channels and are compared directly. If the widths differ, a learned linear map per
    modality projects them to a shared space of the smaller width. The maps are used only in training.
    """

    def __init__(
        self, motion_channels: int, music_channels: int, clips: int = 8, length: int = 4, temperature: float = 0.1
    ) -> None:
        super().__init__()
        self.clips, self.length, self.temperature = clips, length, temperature
        shared = min(motion_channels, music_channels)
        apart = motion_channels != music_channels
        self.motion = nn.Linear(motion_channels, shared, bias=False) if apart else nn.Identity()
        self.music = nn.Linear(music_channels, shared, bias=False) if apart else nn.Identity()

    def forward(self, motion: Tensor, music: Tensor, amplitude: Tensor, generator: torch.Generator) -> Tensor:
        """The loss () for motion latents (b, t, z), music latents (b, t, c) and amplitude (b, t)."""
        return rhythmic_contrast(
            self.motion(motion), self.music(music), amplitude, generator, self.clips, self.length, self.temperature
        )
