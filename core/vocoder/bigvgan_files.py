"""The published files of BigVGAN: ``bigvgan_generator.pt``, which holds ``{"generator": state}``, beside its
``config.json``. They are checked before a network is built from them.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.config import SignalConfig
from core.errors import FootlightError
from core.vocoder.bigvgan import BigVGAN, BigVGANConfig


def load(path: Path | str, signal: SignalConfig, config_path: Path | str | None = None) -> BigVGAN:
    """Load a generator from a published checkpoint.

    Nothing in the file is executed (``weights_only``). Every weight must be present and have the right shape.

    path: the generator's weights.
    signal: our mel.
    config_path: its settings; None is ``config.json`` beside the weights.

    Raises FootlightError for a missing or damaged file, another architecture, or settings of the mel other than ours: a
    vocoder works only on the mel that it was trained on.
    """
    path = Path(path)
    if not path.is_file():
        raise FootlightError(f"{path}: there is no such checkpoint of a vocoder; give bigvgan_generator.pt")
    config_path = Path(config_path) if config_path else path.with_name("config.json")
    settings = _settings(config_path)
    _check_signal(settings, signal, config_path)
    model = BigVGAN(_config(settings, config_path))
    if model.hop != signal.hop_samples:
        raise FootlightError(
            f"{config_path}: upsample_rates come to {model.hop} samples a frame, hop_size is {signal.hop_samples}: "
            f"the file contradicts itself"
        )
    state = plain_weights(_state(path), path)
    expected = model.state_dict()
    for name in expected:
        if name not in state and name.endswith(".filter"):
            state[name] = expected[name]  # determined by the architecture; some exports omit it
    _check_weights(state, expected, path, config_path)
    model.load_state_dict({name: value.float() for name, value in state.items()}, strict=True)
    return model.eval().requires_grad_(False)


def _check_weights(state: dict[str, Tensor], expected: dict[str, Tensor], path: Path | str, config_path: Path) -> None:
    """Raises FootlightError unless a state has the same names and shapes as a generator's."""
    if missing := sorted(set(expected) - set(state)):
        raise FootlightError(
            f"{path}: lacks {missing[0]!r} ({len(missing)} weights in all): it is not the generator that "
            f"{config_path.name} describes; take both files from the same release"
        )
    if foreign := sorted(set(state) - set(expected)):
        raise FootlightError(
            f"{path}: holds {foreign[0]!r} ({len(foreign)} in all), which the generator that {config_path.name} "
            f"describes does not have; take both files from the same release"
        )
    for name, value in expected.items():
        if state[name].shape != value.shape:
            raise FootlightError(
                f"{path}: {name!r} has shape {tuple(state[name].shape)}, {config_path.name} asks for "
                f"{tuple(value.shape)}; take both files from the same release"
            )


def plain_weights(state: dict[str, Tensor], path: Path | str = "state") -> dict[str, Tensor]:
    """A state dict with weight normalisation multiplied out: w = g v / |v|, with |v| over all but the first axis.

    Both namings are understood: ``weight_g`` and ``weight_v``, and ``parametrizations.weight.original0`` and ``1``.

    state: name -> weight.
    path: the file, for messages.

    Raises FootlightError when a partner is missing or has another size.
    """
    plain = {}
    for name, value in state.items():
        if name.endswith((".weight_g", ".parametrizations.weight.original0")):
            old = name.endswith(".weight_g")
            stem = name.removesuffix(".weight_g" if old else ".parametrizations.weight.original0")
            partner = f"{stem}.weight_v" if old else f"{stem}.parametrizations.weight.original1"
            if partner not in state:
                raise FootlightError(f"{path}: has {name!r} but not {partner!r}: the file is damaged")
            v = state[partner].float()
            norm = v.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, *[1] * (v.ndim - 1))
            if value.numel() != v.shape[0]:
                raise FootlightError(f"{path}: {name!r} has {value.numel()} norms for {v.shape[0]} rows: it is damaged")
            plain[f"{stem}.weight"] = value.float().view_as(norm) * v / norm
        elif not name.endswith((".weight_v", ".parametrizations.weight.original1")):
            plain[name] = value
    return plain


def _state(path: Path) -> dict[str, Tensor]:
    """The generator's weights in a checkpoint. Raises FootlightError for a damaged file, and another checkpoint."""
    try:
        document = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FootlightError(f"{path}: is damaged or holds more than weights ({reason}); download it again") from None
    state = document.get("generator") if isinstance(document, dict) else None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise FootlightError(
            f"{path}: has no 'generator' with weights; give bigvgan_generator.pt, not the discriminator or optimiser"
        )
    return state


def _settings(path: Path) -> dict:
    """The settings in config.json. Raises FootlightError when they cannot be read."""
    try:
        settings = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise FootlightError(f"{path}: no such file; put the checkpoint's config.json beside it") from None
    except (json.JSONDecodeError, UnicodeDecodeError, OSError) as error:
        raise FootlightError(f"{path}: cannot be read as JSON: {error}") from None
    if not isinstance(settings, dict):
        raise FootlightError(f"{path}: expected an object with the generator's settings")
    return settings


def _check_signal(settings: dict, signal: SignalConfig, path: Path) -> None:
    """Raises FootlightError unless every setting of the mel is the same as ours."""
    ours = {
        "sampling_rate": signal.audio_rate,
        "n_fft": signal.n_fft,
        "hop_size": signal.hop_samples,
        "win_size": signal.n_fft,
        "num_mels": signal.mel_bands,
        "fmin": 0,
        "fmax": signal.mel_fmax,
    }
    theirs = {name: settings.get(name) for name in ours}
    if theirs["fmax"] is None and isinstance(theirs["sampling_rate"], int):
        theirs["fmax"] = theirs["sampling_rate"] / 2  # null is half the rate
    wrong = [f"{name} {theirs[name]} (ours {value:g})" for name, value in ours.items() if theirs[name] != value]
    if wrong:
        raise FootlightError(
            f"{path}: this BigVGAN was trained on another mel: {', '.join(wrong)}. A vocoder turns only the mel it "
            f"learned into sound; use one trained at {signal.audio_rate} Hz with these settings, or Griffin-Lim"
        )


def _config(settings: dict, path: Path) -> BigVGANConfig:
    """The architecture of the generator, checked before a network is built from it."""

    def integers(name: str, value: Any, depth: int = 1) -> Any:
        if depth == 0:
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise FootlightError(f"{path}: {name} must hold whole numbers above 0, got {value!r}")
            return value
        if not isinstance(value, list) or not value:
            raise FootlightError(f"{path}: {name} must be a list, got {value!r}")
        return tuple(integers(name, item, depth - 1) for item in value)

    def choice(name: str, default: Any, allowed: tuple) -> Any:
        value = settings.get(name, default)
        if value not in allowed or isinstance(value, bool) != isinstance(default, bool):
            raise FootlightError(f"{path}: {name} is {value!r}; known are {', '.join(map(repr, allowed))}")
        return value

    config = BigVGANConfig(
        upsample_rates=integers("upsample_rates", settings.get("upsample_rates")),
        upsample_kernel_sizes=integers("upsample_kernel_sizes", settings.get("upsample_kernel_sizes")),
        upsample_initial_channel=integers("upsample_initial_channel", settings.get("upsample_initial_channel"), 0),
        resblock_kernel_sizes=integers("resblock_kernel_sizes", settings.get("resblock_kernel_sizes")),
        resblock_dilation_sizes=integers("resblock_dilation_sizes", settings.get("resblock_dilation_sizes"), 2),
        resblock=choice("resblock", "1", ("1", "2")),
        activation=choice("activation", "snakebeta", ("snakebeta", "snake")),
        snake_logscale=choice("snake_logscale", True, (True, False)),
        use_tanh_at_final=choice("use_tanh_at_final", True, (True, False)),
        use_bias_at_final=choice("use_bias_at_final", True, (True, False)),
        num_mels=integers("num_mels", settings.get("num_mels"), 0),
    )
    pairs = (("upsample_rates", "upsample_kernel_sizes"), ("resblock_kernel_sizes", "resblock_dilation_sizes"))
    for one, other in pairs:
        if len(getattr(config, one)) != len(getattr(config, other)):
            raise FootlightError(f"{path}: {one} and {other} must be equally long")
    if config.upsample_initial_channel % 2 ** len(config.upsample_rates):
        raise FootlightError(f"{path}: upsample_initial_channel must halve {len(config.upsample_rates)} times")
    if any(k < r or (k - r) % 2 for r, k in zip(config.upsample_rates, config.upsample_kernel_sizes, strict=True)):
        raise FootlightError(f"{path}: each upsample kernel must be its rate plus an even number")
    return config
