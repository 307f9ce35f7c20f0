"""An autoencoder's encoder that keeps what it has encoded, because encoding all of the data takes minutes."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import torch
from torch import Tensor

from core.autoencoder.identity import Identity
from core.autoencoder.normalised import NormalisedVAE
from core.errors import FootlightError
from train.state import digest, load_state, save_state


class Encoder:
    """Encodes clips of one modality, each of them once.

    As a context manager it reads what a run has encoded before, unless that is damaged, and, in the end, writes what
    is new. An interrupted run finds it, and so does every later task of the run that uses the same autoencoder.

    vae: the autoencoder.
    folder: where latents are kept; None keeps none. Other weights get another file there.
    """

    def __init__(self, vae: NormalisedVAE | Identity, folder: Path | None = None) -> None:
        self.vae = vae
        self._path = folder and folder / f"latents-{digest((), vae.state_dict().values())}.safetensors"
        self._kept: dict[str, Tensor] = {}
        self._written = 0

    def __enter__(self) -> Encoder:
        if self._path is not None and self._path.is_file():
            with suppress(FootlightError):  # what is damaged is encoded again
                self._kept = load_state(self._path)
            self._written = len(self._kept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._path is not None and len(self._kept) > self._written:
            save_state(self._path, self._kept)
            self._written = len(self._kept)

    @torch.no_grad()
    def __call__(self, frames: Tensor) -> Tensor:
        """Standardised latents (t / stride, z) of frames (t, c)."""
        if self._path is None:
            return encoded(self.vae, frames)
        name = _digest(frames)
        if name not in self._kept:
            self._kept[name] = encoded(self.vae, frames)
        return self._kept[name]


@torch.no_grad()
def encoded(vae: NormalisedVAE | Identity, frames: Tensor) -> Tensor:
    """Standardised latents (t / stride, z) of a modality's frames (t, c)."""
    device = vae.std.device
    usable = len(frames) // vae.config.stride * vae.config.stride
    return vae.encode_long(frames[:usable].float()[None].to(device))[0].cpu()


def _digest(frames: Tensor) -> str:
    told = hashlib.blake2b(f"{frames.dtype} {tuple(frames.shape)}".encode(), digest_size=16)
    told.update(frames.contiguous().numpy().tobytes())
    return told.hexdigest()
