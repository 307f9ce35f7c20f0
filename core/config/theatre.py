"""The networks of the theatre model, by which music, dance and stage light are made together."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.config.parts import DenoiserConfig, SamplingConfig
from core.errors import FootlightError
from core.protocol import ACCENTS


@dataclass(frozen=True)
class TheatreConfig:
    """Encoders, unified space, scheduler and denoisers of the theatre model (``core.theatre``).

    denoisers: by the name of the modality that they generate: "motion" and "light".
    sampling: by the same names.

    Raises FootlightError for widths that do not suit the heads, and for a denoiser without sampling or of other widths
    than the encoders.
    """

    width: int = 128  # of the encoders' vectors, one for each time slice
    blocks: int = 2  # Transformer blocks of an encoder
    encoder_heads: int = 4
    reach: int = 16  # slices to either side whose distance the relative positions tell apart
    slice_frames: int = 4  # latent frames of a time slice
    timbre: int = 128  # channels of the timbre vector
    slots: int = 8  # of a beat, in the rhythm that is told beat by beat
    filters: int = 8  # of each group of kernels on the spectrogram
    graph_width: int = 32  # channels of a joint
    graph_layers: int = 3
    style: int = 32  # channels of the visual style vector
    picture_filters: int = 16
    looks: tuple[str, ...] = ()  # names of the categories of looks
    space: int = 64  # channels of the unified space
    heads: int = 8  # of the scheduler
    attention: bool = True  # False: the scheduler takes the mean of motion and light, without attention
    steering: int = 64  # channels of the scheduling vector
    accent: str = "strike"  # what the dancer does on a beat unless told otherwise
    coarse: float = 0.5  # share of the noise schedule above which movement is made in time slices, without a look
    emphasis: float = 0.5  # by how much guidance and losses count more on beats than between them
    answer: float = 0.0  # by which share the light is told of quieter music where the dancer has no energy
    look_guidance: float = 1.0  # of the light by the look and the dancer's energy, beside that by all it is told
    denoisers: dict[str, DenoiserConfig] = field(default_factory=dict)
    sampling: dict[str, SamplingConfig] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what, width, heads in (
            ("width", self.width, self.encoder_heads),
            ("steering", self.steering, self.heads),
        ):
            if width % heads:
                raise FootlightError(f"theatre: {heads} heads cannot share a {what} of {width}: choose a multiple")
        if self.accent not in ACCENTS:
            raise FootlightError(f"theatre: unknown accent {self.accent!r}: choose one of {', '.join(ACCENTS)}")
        for name, denoiser in self.denoisers.items():
            if name not in self.sampling:
                raise FootlightError(f"theatre: the denoiser of {name} has no sampling: add theatre.sampling.{name}")
            if denoiser.steering_channels not in (0, self.steering) or denoiser.look_channels not in (0, self.style):
                raise FootlightError(
                    f"theatre: the denoiser of {name} takes {denoiser.steering_channels} channels of steering and "
                    f"{denoiser.look_channels} of the look, but {self.steering} and {self.style} are made"
                )
