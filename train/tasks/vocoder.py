"""Trains the vocoder, which turns log-mels of licensed music back into sound.

There are three groups of losses, in the order in which they matter to a run of minutes:

1. of the heads, against the true spectrum, without the recursion: log-magnitudes, spectral convergence, and phases
carried on from the true frame before (core.vocoder.model.carried), weighted by the root of the magnitude; 2. of the
decoded sound: mel, and log-spectra at two more resolutions (Yamamoto et al. 2020); 3. from ``gan_start`` on, hinge and
feature matching of train.tasks.waveform_critics.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import mir_eval
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from core.audio import io
from core.audio.mel import log_mel
from core.audio.representation import to_float, to_int16
from core.audio.stft import analyse, synthesise
from core.config import SignalConfig, VocoderConfig
from core.errors import FootlightError
from core.vocoder.model import Vocoder, carried, unroll
from train.data.shards import read_index
from train.draw import mel_picture
from train.loop import Phase
from train.tasks.waveform_critics import Critics, critic_loss, deception_loss, log_spectrum, matching_loss

RESOLUTIONS = (512, 2048)  # beside the 1024 of the heads
HEARD_SECONDS = 8.0  # of each held-out song
PICTURE_FRAMES = 192  # of mel, 3 s
ONSET_SECONDS = 0.05  # tolerance of the onset F-measure (mir_eval's default)


@dataclass(frozen=True)
class VocoderTaskConfig:
    """Crops, weights and augmentation.

    frames: length of a training crop in mel frames.
    gain: of changes in loudness, +- nepers.
    """

    frames: int = 40
    magnitude: float = 1.0
    phase: float = 2.0
    mel: float = 2.0
    spectra: float = 0.5
    gan: float = 0.1
    matching: float = 1.0
    gan_start: int = 2000  # steps of plain reconstruction before the critics count
    gain: float = 0.7


class Decoded:
    """Holds the samples (b, s) that the generator's phase decoded of a batch.

    Fabric copies and casts the tensors of a batch before each phase, but passes this object on.
    """

    samples: Tensor | None = None


class GeneratorPhase(Phase):
    """Trains the vocoder. It leaves what it decoded in the batch, for the critics."""

    def __init__(self, vocoder: Vocoder, critics: Critics, config: VocoderTaskConfig) -> None:
        super().__init__({"vocoder": vocoder}, critics=critics)
        self.config = config

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        config, samples = self.config, batch["samples"]  #            b s
        vocoder = self.network("vocoder", Vocoder)
        signal, heads = vocoder.signal, vocoder.heads(batch["mel"])
        with torch.autocast(samples.device.type, enabled=False):
            truth = analyse(samples, signal.n_fft, signal.hop_samples)
            loud = truth.abs()
            distance = (heads.magnitude.log() - loud.clamp_min(1e-3).log()).abs().mean()
            weight = loud[:, 1:].sqrt()
            foretold = carried(truth[:, :-1], heads.advance[:, 1:], heads.fresh[:, 1:])
            agreement = (foretold * truth[:, 1:].conj()).real / loud[:, 1:].clamp_min(1e-6)
            with torch.no_grad():
                before = functional.pad(torch.view_as_real(unroll(heads)[0])[:, :-1], (0, 0, 0, 0, 1, 0))
            phasors = carried(torch.view_as_complex(before), heads.advance, heads.fresh)
            decoded = synthesise(heads.magnitude * phasors, signal.hop_samples)
            spectra = [spectral_distance(decoded, samples, n_fft) for n_fft in RESOLUTIONS]
            losses = {
                "mel": config.mel * (log_mel(decoded, signal) - batch["mel"]).abs().mean(),
                "magnitude": config.magnitude * (distance + convergence(heads.magnitude, loud)),
                "phase": config.phase * (weight * (1 - agreement)).sum() / weight.sum().clamp_min(1e-6),
                "spectra": config.spectra * torch.stack(spectra).mean(),
            }
        if step >= config.gan_start:
            critics = self.borrowed.critics
            verdict = critics(decoded)
            with torch.no_grad():
                real = critics(samples)
            losses["gan"] = config.gan * deception_loss(verdict)
            losses["matching"] = config.matching * matching_loss(real, verdict)
            batch["decoded"].samples = decoded.detach()
        return losses


class CriticPhase(Phase):
    """Trains the critics on what the generator's phase decoded of the same batch in this step."""

    def __init__(self, critics: Critics, config: VocoderTaskConfig) -> None:
        super().__init__({"critics": critics})
        self.config = config

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        critics = self.networks["critics"]
        if step < self.config.gan_start:
            return {"critics": 0.0 * reduce(torch.add, (p.sum() for p in critics.parameters()))}
        return {"critics": critic_loss(critics(batch["samples"]), critics(batch["decoded"].samples))}


class VocoderTask:
    """Trains the vocoder on crops of songs.

    model: the vocoder's size.
    config: losses and crops.
    songs: samples (s,) int16 at ``signal.audio_rate`` by split, as ``load_waveforms`` gives them.
    signal: the run's own; the vocoder decodes its mels.

    Raises FootlightError when a split has no song that is long enough.
    """

    name = "vocoder"

    def __init__(
        self, model: VocoderConfig, config: VocoderTaskConfig, songs: dict[str, list[Tensor]], signal: SignalConfig
    ) -> None:
        self.config, self.signal = config, signal
        self.length = config.frames * signal.hop_samples
        self.train = [song for song in songs["train"] if len(song) > self.length]
        self.val = [_middle(song, signal) for song in songs["val"]]
        if not self.train or not self.val:
            raise FootlightError(
                f"the vocoder needs songs of at least {self.length / signal.audio_rate:.2f} s for training and some "
                f"for validation, got {len(self.train)} and {len(self.val)}: add audio to both splits of index.jsonl"
            )
        self.lengths = torch.tensor([float(len(song)) for song in self.train])
        vocoder = Vocoder(model, signal)
        some = [log_mel(to_float(_middle(song, signal)), signal) for song in self.train]
        vocoder.set_statistics(torch.cat(some))
        critics = Critics()
        self.phases: dict[str, Phase] = {
            "generator": GeneratorPhase(vocoder, critics, config),
            "critics": CriticPhase(critics, config),
        }

    def batch(self, size: int, generator: torch.Generator) -> dict:
        songs = torch.multinomial(self.lengths, size, replacement=True, generator=generator)
        crops = []
        for song in songs.tolist():
            samples = self.train[song]
            start = int(torch.randint(len(samples) - self.length, (1,), generator=generator))
            crops.append(to_float(samples[start : start + self.length]))
        gain = ((torch.rand(size, 1, generator=generator) * 2 - 1) * self.config.gain).exp()
        samples = torch.stack(crops) * gain
        samples = samples / samples.abs().amax(dim=1, keepdim=True).clamp_min(1)
        return {"samples": samples, "mel": log_mel(samples, self.signal), "decoded": Decoded()}

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        vocoder = phases["generator"].network("vocoder", Vocoder)
        results = []
        for song in self.val:
            samples = to_float(song)
            mel = log_mel(samples, self.signal)
            decoded = vocoder.decode_long(mel[None].to(vocoder.mean.device))[0].float().cpu()
            results.append(compare(decoded, samples[: len(decoded)], self.signal))
        return {name: float(np.mean([result[name] for result in results])) for name in results[0]}

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        vocoder = phases["generator"].network("vocoder", Vocoder)
        shown = [song for song in self.val if len(song) >= PICTURE_FRAMES * self.signal.hop_samples][:4]
        mel = torch.stack([log_mel(to_float(song), self.signal)[:PICTURE_FRAMES] for song in shown])
        decoded = vocoder.decode_long(mel.to(vocoder.mean.device)).float().cpu()
        return {"mel": mel_picture(mel, log_mel(decoded, self.signal))}


def compare(decoded: Tensor, original: Tensor, signal: SignalConfig) -> dict[str, float]:
    """Compare decoded sound (s,) with the original (s,), both at ``signal.audio_rate``.

    Returns ``mel_l1`` in nepers; ``spectra``, log-spectral distance plus spectral convergence, the mean of three
    resolutions; and ``onset_f``, the F-measure of librosa's onsets against those of the original.
    """
    mel_l1 = float((log_mel(decoded, signal) - log_mel(original, signal)).abs().mean())
    spectra = [float(spectral_distance(decoded[None], original[None], n)) for n in (*RESOLUTIONS, signal.n_fft)]
    return {"mel_l1": mel_l1, "spectra": float(np.mean(spectra)), "onset_f": onset_f(decoded, original, signal)}


def onset_f(decoded: Tensor, original: Tensor, signal: SignalConfig) -> float:
    """The F-measure of onsets within 50 ms. It is 1 when neither sound has any."""
    import librosa  # starts slowly, and only validation needs it

    def onsets(samples: Tensor) -> np.ndarray:
        return librosa.onset.onset_detect(y=samples.numpy(), sr=signal.audio_rate, hop_length=256, units="time")

    estimated, true = onsets(decoded), onsets(original)
    if not len(true) or not len(estimated):
        return float(len(true) == len(estimated))
    return float(mir_eval.onset.f_measure(true, estimated, window=ONSET_SECONDS)[0])


def spectral_distance(decoded: Tensor, original: Tensor, n_fft: int) -> Tensor:
    """L1 of log-magnitudes plus spectral convergence at one resolution (Yamamoto et al. 2020). Samples are (b, s)."""
    made, true = log_spectrum(decoded, n_fft), log_spectrum(original, n_fft)
    return (made - true).abs().mean() + convergence(made.exp(), true.exp())


def convergence(made: Tensor, true: Tensor) -> Tensor:
    """The relative error of magnitudes, |made - true| / |true|, for each crop, averaged."""
    axes = tuple(range(1, true.ndim))
    return ((made - true).square().sum(axes) / true.square().sum(axes).clamp_min(1e-4)).clamp_min(1e-12).sqrt().mean()


def load_waveforms(folder: Path, rate: int) -> dict[str, list[Tensor]]:
    """The audio in ``folder/index.jsonl`` as samples (s,) int16 by split.

    A song that cannot be read is left out, with a message.

    rate: of the samples, Hz.

    Raises FootlightError when there is no index.
    """
    index = folder / "index.jsonl"
    if not index.is_file():
        raise FootlightError(f"{index}: no such file; --vocoder.audio needs a folder with index.jsonl and its audio")
    songs: dict[str, list[Tensor]] = {"train": [], "val": []}
    for entry in read_index(index):
        if entry.get("kind") != "audio" or entry.get("split") not in songs:
            continue
        try:
            waveform = io.read(folder / entry["path"], rate)
        except FootlightError as error:
            print(f"not used: {error}")
            continue
        songs[entry["split"]].append(to_int16(waveform.samples))  # half the memory of floats
    return songs


def _middle(samples: Tensor, signal: SignalConfig) -> Tensor:
    """Up to eight seconds from the middle."""
    length = min(len(samples), round(HEARD_SECONDS * signal.audio_rate))
    start = (len(samples) - length) // 2
    return samples[start : start + length]
