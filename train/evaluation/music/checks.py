"""Two checks of their own: whether a dance of known tempo gets music of that tempo, and what decoding costs."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace

import torch

from core.audio.beat_tracking import track_beats
from core.audio.mel import log_mel
from core.formats.motion import clip_of
from core.metrics import audio
from core.pipeline import score
from core.pipeline.model import Model
from core.rhythm import target
from core.types import Waveform
from train.data.shards import key
from train.evaluation import statistics
from train.evaluation.cache import Music
from train.evaluation.music.composers import Composer, played
from train.evaluation.music.scenes import Scene, at_tempo
from train.evaluation.performance import Performance
from train.tasks.vocoder import compare

DECODED_SECONDS = 12.0  # of every val song
DECODERS = ("vocoder", "autoencoder + vocoder", "Griffin-Lim", "autoencoder + Griffin-Lim")
DECODED = ("mel_l1", "spectra", "onset_f")


def tempo_check(
    composer: Composer, scenes: list[Scene], tempos: tuple[float, ...], each: int, stage: Performance
) -> list[dict]:
    """A row for each of ``each`` held-out dances at every tempo.

    The dances that need the least change are played at a speed that gives their beats exactly this tempo. A row holds
    the pulse found in the dance and the tempo tracked in its music.
    """
    rows = []
    for tempo in stage.cache.progress(tempos, f"{composer.name}, tempos"):
        near = sorted((s for s in scenes if s.tempo > 0), key=lambda s: abs(math.log(s.tempo / tempo)))
        for scene in near[:each]:
            clip = clip_of(at_tempo(scene, tempo))
            retimed = replace(scene, clip=clip)
            music = played(composer, retimed, 0, stage)
            if music is not None:
                heard = track_beats(music.sound).tempo
                asked = target.rhythm_target(clip.positions, clip.fps).beats.tempo
                row = {"tempo": tempo, "scene": scene.name, "was": scene.tempo, "pulse": asked, "heard": heard}
                rows.append(row | {"agrees": audio.tempo_agreement(heard, tempo)})
    return rows


@dataclass(frozen=True)
class Scored:
    """What ``train.evaluation.statistics`` needs of a clip."""

    song: str
    scores: dict


def decoder_check(
    name: str, model: Model, digest: str, songs: dict[str, Waveform], stage: Performance
) -> dict[str, dict]:
    """How close each way of decoding comes to the original: intervals over val songs of
    ``train.tasks.vocoder.compare``.
    """
    pairs = [(way, song) for way in DECODERS if model.vocoder is not None or "vocoder" not in way for song in songs]
    pieces: dict[str, list[Scored]] = {}
    for way, song in stage.cache.progress(pairs, f"{name}, decoding"):
        original = songs[song]
        kept = key("decoded", digest, way, hashlib.sha256(original.samples.numpy().tobytes()).hexdigest())
        music = stage.attempt(name, song, 0, kept, lambda way=way, original=original: decoded(way, model, original))
        if music is not None:
            sound = music.sound.samples
            scores = compare(sound, original.samples[: len(sound)], model.config.signal)
            pieces.setdefault(way, []).append(Scored(song, scores))
    return {way: statistics.intervals(ours, DECODED) for way, ours in pieces.items()}


@torch.no_grad()
def decoded(way: str, model: Model, original: Waveform) -> Music:
    """The original's log-mel turned back into sound by one of ``DECODERS``."""
    mel = log_mel(original.samples, model.config.signal)[None].to(model.device)
    if way.startswith("autoencoder"):
        vae = model.autoencoders["music"]
        mel = vae.decode_long(vae.encode_long(mel))[:, : mel.shape[1]]
    if way.endswith("Griffin-Lim"):
        model = replace(model, vocoder=None)
    samples = score.vocode(model, mel)
    return Music.of(Waveform(samples[: len(original.samples)], original.rate))
