"""VGGish (Hershey et al. 2017), the embedding of the Fréchet audio distance. The user supplies the weights.

Front end and network follow the published description. The input is 16 kHz mono: magnitudes of 25 ms periodic Hann
windows every 10 ms, a 512-point transform, 64 triangles on the HTK mel scale from 125 to 7500 Hz, log(mel + 0.01), in
patches of 96 frames (0.96 s) without overlap. Six 3 x 3 convolutions (64, 128, 256, 256, 512, 512) with four poolings
are followed by linear layers of 4096, 4096 and 128. As in the distance (Kilgour et al. 2019), there is no PCA, no
quantisation and no last activation.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from core.audio.io import resample
from core.errors import FootlightError, reason
from core.types import Waveform

RATE = 16_000
WINDOW = 400  # samples
HOP = 160  # samples
N_FFT = 512  # samples
BANDS = 64
FRAMES = 96  # of a patch
LOW = 125.0  # Hz
HIGH = 7500.0  # Hz
OFFSET = 0.01  # added to the mel before the logarithm
EMBEDDING = 128
PATCH_SECONDS = FRAMES * HOP / RATE
BATCH = 16  # patches at a time; each needs 20 MB


class VGGish(nn.Module):
    """Maps log-mel patches (b, 1, 96, 64) to embeddings (b, 128).

    Parameter names are those of the published PyTorch port.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for width, convolutions in ((64, 1), (128, 1), (256, 2), (512, 2)):
            for _ in range(convolutions):
                layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
                before = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.embeddings = nn.Sequential(
            nn.Linear(6 * 4 * 512, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, EMBEDDING)
        )

    def forward(self, patches: Tensor) -> Tensor:
        found = self.features(patches)  #                             b 512 6 4
        # The weights come from a library in which channels are last: time, band, channel.
        return self.embeddings(found.permute(0, 2, 3, 1).flatten(1))

    @torch.no_grad()
    def embed(self, waveform: Waveform) -> Tensor:
        """Embeddings (n, 128) of music, one for each whole patch of 0.96 s."""
        parts = patches(waveform).split(BATCH)
        return torch.cat([self(part[:, None]) for part in parts]) if parts else torch.zeros(0, EMBEDDING)


def patches(waveform: Waveform) -> Tensor:
    """Log-mel patches (n, 96, 64) of music at any rate; none if it is shorter than 0.975 s."""
    samples = resample(waveform, RATE).samples.float()
    if len(samples) < WINDOW:
        return torch.zeros(0, FRAMES, BANDS)
    frames = samples.unfold(0, WINDOW, HOP) * torch.hann_window(WINDOW, periodic=True)
    magnitude = torch.fft.rfft(frames, N_FFT).abs()
    mel = (magnitude @ filterbank() + OFFSET).log()
    whole = len(mel) // FRAMES
    return mel[: whole * FRAMES].reshape(whole, FRAMES, BANDS)


@lru_cache(maxsize=1)
def filterbank() -> Tensor:
    """Mel filterbank (257, 64): triangles of height one, linear in mel and not in Hz, without the constant bin."""
    bins = _mel(torch.arange(N_FFT // 2 + 1, dtype=torch.float64) * RATE / N_FFT)[:, None]
    low, high = (float(_mel(torch.tensor(hz, dtype=torch.float64))) for hz in (LOW, HIGH))
    edges = torch.linspace(low, high, BANDS + 2, dtype=torch.float64)
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bank = torch.minimum(rise, fall).clamp_min(0)
    bank[0] = 0
    return bank.float()


def load(path: Path | str) -> VGGish:
    """Load VGGish from a file of weights.

    Weights of the post-processing (names that start with ``pproc``) are ignored, because FAD does not use it.

    path: a ``.safetensors`` file or a PyTorch file. Nothing in it is executed.

    Raises FootlightError for a file that is missing, unreadable, or whose names or shapes are not VGGish's.
    """
    path = Path(path)
    if not path.is_file():
        raise FootlightError(f"{path}: no such file; FAD needs the weights of VGGish; FAD-latent needs none")
    try:
        state = (
            load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    except (SafetensorError, UnpicklingError, RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        raise FootlightError(f"{path} is not a file of weights that can be read safely: {reason(error)}") from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise FootlightError(f"{path} holds no table of weights; expected VGGish's, by name")
    state = {name: value.float() for name, value in state.items() if not name.startswith("pproc")}
    with torch.device("meta"):
        network = VGGish()
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    if missing := sorted(expected.keys() - state.keys()):
        raise FootlightError(f"{path} is not VGGish: it lacks {missing[0]} (and {len(missing) - 1} more)")
    if foreign := sorted(state.keys() - expected.keys()):
        raise FootlightError(f"{path} is not VGGish: it also holds {foreign[0]} (and {len(foreign) - 1} more)")
    for name, shape in expected.items():
        if tuple(state[name].shape) != shape:
            raise FootlightError(f"{path} is not VGGish: {name} has shape {tuple(state[name].shape)}, expected {shape}")
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)


def _mel(hz: Tensor) -> Tensor:
    """HTK's mel scale."""
    return 1127.0 * torch.log1p(hz / 700.0)
