"""The parts of a model's configuration: signal, autoencoders, denoisers, vocoder, diffusion and sampling."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.errors import FootlightError
from core.protocol import DanceOptions, check

MUSIC = ("mel", "waveform", "features35")
AUTOENCODERS = ("conv", "identity")


@dataclass(frozen=True)
class SignalConfig:
    """The representation of sound, before any network. Rates are in Hz, lengths in samples."""

    audio_rate: int = 16_000
    n_fft: int = 1024  # of the mel
    hop_samples: int = 256  # from one frame of the music to the next
    mel_bands: int = 80
    mel_fmax: float = 8000.0

    @property
    def mel_fps(self) -> float:
        """Frames per second of the music, in any representation."""
        return self.audio_rate / self.hop_samples

    @property
    def spectrogram(self) -> tuple[int, int, int, int, float]:
        """Everything on which a log-mel depends. Signals with equal values give equal log-mels of the same sound."""
        return self.audio_rate, self.n_fft, self.hop_samples, self.mel_bands, self.mel_fmax

    def channels(self, representation: str) -> int:
        """Channels of a frame of music. Raises FootlightError for a representation that is not in ``MUSIC``."""
        widths = {"mel": self.mel_bands, "waveform": self.hop_samples, "features35": 35}
        if representation not in widths:
            raise FootlightError(
                f"unknown representation of music {representation!r}: choose one of {', '.join(MUSIC)}"
            )
        return widths[representation]


@dataclass(frozen=True)
class VAEConfig:
    """The 1-D convolutional autoencoder that all modalities share (paper table 8)."""

    channels: int  # of the input, i.e. of a frame of the modality's representation
    width: int = 384
    multipliers: tuple[int, ...] = (1, 2, 4)
    blocks: int = 2
    kernel: int = 5
    latent_channels: int = 20
    halvings: int = 1  # transitions between levels that halve time, the deepest ones
    heads: int = 8
    linear: bool = False  # a linear path beside the networks, initialised with the principal components of the data
    kind: str = "conv"  # or "identity": no network, latents are the normalised input (core.autoencoder.identity)

    @property
    def stride(self) -> int:
        """Input frames per latent frame."""
        return 2**self.halvings

    def __post_init__(self) -> None:
        if self.kind not in AUTOENCODERS:
            raise FootlightError(f"unknown kind of autoencoder {self.kind!r}: choose one of {', '.join(AUTOENCODERS)}")
        if self.kind == "identity" and (self.halvings or self.latent_channels != self.channels):
            raise FootlightError(
                f"an identity has as many latent channels as channels and no halvings, but {self.channels} channels, "
                f"{self.latent_channels} latent channels and {self.halvings} halvings are given"
            )


@dataclass(frozen=True)
class Modality:
    """A modality of a model: its representation, and the autoencoder that brings it to the frame rate of all latents.

    representation: what a frame contains: one of ``MUSIC``, or the name of a ``Layout`` (``core.motion.layouts``).
    fps: frames per second.
    autoencoder: its architecture.
    """

    representation: str
    fps: float
    autoencoder: VAEConfig

    @property
    def latent_fps(self) -> float:
        """Latent frames per second."""
        return self.fps / self.autoencoder.stride


@dataclass(frozen=True)
class DenoiserConfig:
    """The concatenating Transformer (paper table 9), or the U-Net with which it is compared.

    ``core.diffusion.unet`` says what the numbers mean for a U-Net; ``core.diffusion.networks.as_unet`` makes one of
    equal size.
    """

    kind: str = "transformer"  # or "unet"
    latent_channels: int = 20
    context: dict[str, int] = field(default_factory=dict)  # modalities it is conditioned on: name -> latent channels
    rhythm_channels: int = 10  # 0: no rhythm conditioning
    loudness_power: float = 1.0  # of the rhythm's loudness; 11 spreads loud passages (core.rhythm.features)
    styles: int = 0
    observed: bool = True  # observed latents and their mask are additional input channels
    observed_parts: int = 1  # channels of that mask: one for all, or one for each of core.motion.body_parts
    width: int = 576
    blocks: int = 4
    attentions: int = 2  # self-attentions per block
    heads: int = 8
    ff_kernel: int = 9
    ff_multiplier: int = 4
    input_kernel: int = 5
    condition_width: int = 1024
    positions: str = "learned"  # or "rotary"; frame t of the contexts and of the latents share one position
    max_frames: int = 1024
    dropout: float = 0.0
    multipliers: tuple[int, ...] = (1, 2, 4)  # of the U-Net's width, level by level
    skip: bool = False  # the noisy latents also reach the output directly, as much as suits the noise level
    context_entry: str = "concatenated"  # as tokens of its own, or "added" to those of the noisy latents
    guided: bool = False  # the strength of guidance is a condition: one pass gives the guided estimate
    steering_channels: int = 0  # of the theatre model's scheduling vector, frame by frame; 0: none
    look_channels: int = 0  # of the look's style vector, which modulates the output; 0: none
    cue_channels: int = 0  # of a song's sections and the dancer's energy (``core.light.cues``)
    prediction: str | None = None  # "epsilon" | "x0" | "v", where it differs from that of the diffusion


@dataclass(frozen=True)
class VocoderConfig:
    """The vocoder, from log-mels to sound: convolutions at frame rate, a short-time spectrum, and its inverse."""

    width: int = 256
    blocks: int = 5
    kernel: int = 7
    expansion: int = 3  # of the width, inside a block
    rounds: int = 3  # of Griffin-Lim at the end, which make neighbouring frames consistent


@dataclass(frozen=True)
class DiffusionConfig:
    """The noise schedule and what the network predicts."""

    steps: int = 1000
    beta_start: float = 0.00085
    beta_end: float = 0.012
    prediction: str = "epsilon"  # "epsilon" | "x0" | "v"; a denoiser may have its own


@dataclass(frozen=True)
class SamplingConfig:
    """How a modality is sampled. Lengths are in latent frames; guidance is that of eq. 7."""

    sampler: str = "ddim"  # "ddpm" | "ddim" | "dpmpp"
    steps: int = 50
    guidance: float = 2.5
    style_strength: float = 1.0  # factor of the style's weights; 1 is as in training; duets always use 1
    style_strengths: dict[str, float] = field(default_factory=dict)  # by style, a further factor of its own
    moves: str = "AAAB"  # how a dance repeats its moves: three times the same one, then another
    style_moves: dict[str, str] = field(default_factory=dict)  # by style, the same where it differs
    window: int = 128
    overlap: int = 64

    def __post_init__(self) -> None:
        for pattern in (self.moves, *self.style_moves.values()):
            check(DanceOptions, moves=pattern)


@dataclass(frozen=True)
class TeacherConfig:
    """The denoiser from which a model's own was distilled, and how it is sampled."""

    denoiser: DenoiserConfig
    sampling: SamplingConfig
