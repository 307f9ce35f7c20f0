"""Reads format 1 of models and runs, in which the two modalities had fields of their own. It is never written.

The configuration is converted to format 2, and the networks get the names of format 2. Parameters that were renamed
inside a network are handled by that network (``core.diffusion.conditioning``).
"""

from __future__ import annotations

from core.errors import FootlightError

NETWORKS = {
    "mel_vae": "autoencoder.music",
    "motion_vae": "autoencoder.motion",
    "denoiser": "denoiser.motion",
    "scorer": "denoiser.music",
    "vocoder": "vocoder",
}
DENOISERS = {"denoiser": ("motion", "music"), "scorer": ("music", "motion")}  # field: what it generates, its context
SAMPLING = {"sampling": "motion", "scoring": "music"}
SIGNAL = {"music": "mel", "motion_fps": 31.25, "motion_layout": "smpl22-6d"}  # fields that moved to modalities
KEPT = ("diffusion", "styles", "style_shares", "vocoder")


def is_old(values: dict) -> bool:
    """Whether the JSON values of a configuration have format 1."""
    return isinstance(values, dict) and "modalities" not in values and ("mel_vae" in values or "motion_vae" in values)


def upgraded(values: dict) -> dict:
    """Convert the JSON values of a configuration from format 1 to format 2.

    Raises FootlightError when the values do not have format 1, or use a feature that was removed: guidance that rises
    during sampling.
    """
    if unknown := sorted(set(values) - {*KEPT, "signal", "motion_vae", "mel_vae", *DENOISERS, *SAMPLING}):
        raise FootlightError(f"config: unknown field {unknown[0]!r}; this file is from another program")
    signal = _part(values, "signal")
    music, fps, layout = (signal.pop(name, default) for name, default in SIGNAL.items())
    rate = _number(signal, "audio_rate", 16_000) / _number(signal, "hop_samples", 256)
    return {
        "signal": signal,
        "modalities": {
            "motion": {"representation": layout, "fps": fps, "autoencoder": _part(values, "motion_vae")},
            "music": {"representation": music, "fps": rate, "autoencoder": _part(values, "mel_vae")},
        },
        "denoisers": {
            made: _denoiser(_part(values, field), heard)
            for field, (made, heard) in DENOISERS.items()
            if values.get(field) is not None
        },
        "sampling": {made: _sampling(_part(values, field), field) for field, made in SAMPLING.items()},
        **{name: values[name] for name in KEPT if name in values},
    }


def _part(values: dict, name: str) -> dict:
    part = values.get(name, {})
    if not isinstance(part, dict):
        raise FootlightError(f"config.{name}: expected an object, got {type(part).__name__}")
    return dict(part)


def _number(signal: dict, name: str, default: int) -> int:
    value = signal.get(name, default)
    if not isinstance(value, int) or value <= 0:
        raise FootlightError(f"config.signal.{name}: expected a whole number above 0, got {value!r}")
    return value


def _denoiser(values: dict, heard: str) -> dict:
    channels = values.pop("condition_channels", 20)
    return {**values, "context": {heard: channels}}


def _sampling(values: dict, field: str) -> dict:
    if values.pop("guidance_ramp", 0.0):
        raise FootlightError(
            f"config.{field}.guidance_ramp: this program samples with one guidance from beginning to end; set it to 0"
        )
    return values
