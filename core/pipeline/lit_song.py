"""Hears a song for a dance with its light.

song ── as dances hear it ────────────────── HeardSong ──┐
  ├──── mel, beats, onsets ── music encoder ── vectors ──┼── LitSong
  └──── sections, and as cues of the light ──────────────┘
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.audio.onsets import RHYTHM_RATE
from core.audio.representation import music_frames
from core.config import Config
from core.light.cues import section_cues
from core.pipeline.dance import HeardSong
from core.pipeline.model import Model
from core.pipeline.sound import Sound, sounding
from core.rhythm.features import Rhythm
from core.rhythm.sections import Section, sections_of
from core.theatre.slices import Slicing, music_rows
from core.types import Waveform


@dataclass(frozen=True)
class LitSong:
    """A song as a model with a theatre hears it, for any number of dances with light.

    heard: as a dance hears it.
    music: (1, s, width) vectors of the theatre's music encoder.
    cues: (1, t, 7) of its sections (``core.light.cues``); None if the model's light takes none.
    sections: of the song, at which the light changes.
    """

    heard: HeardSong
    music: Tensor
    cues: Tensor | None
    sections: tuple[Section, ...]


@torch.no_grad()
def hear_lit(model: Model, song: Waveform | Sound, heard: HeardSong) -> LitSong:
    """Hear of a song what its light needs.

    song: at any rate.
    heard: of it, by ``core.pipeline.hear_song``.

    Raises FootlightError for a model without theatre.
    """
    theatre, sound, rhythm, frames = model.check_lights(), sounding(song), heard.rhythm, heard.frames
    music = theatre.encoded("music", song_rows(model, sound, rhythm, frames)[None].to(model.device))
    sections = heard.sections or sections_of(sound.at(RHYTHM_RATE), rhythm.beats, sound.rhythm_mel)
    if not takes_cues(model.config):
        return LitSong(heard, music, None, sections)
    cues = section_cues(sections, frames, model.config.latent_fps)
    return LitSong(heard, music, cues[None].to(model.device), sections)


def song_rows(model: Model, song: Waveform | Sound, rhythm: Rhythm, frames: int) -> Tensor:
    """Rows (s, c) of a song for the music encoder, for as many slices as ``frames`` latent frames need."""
    slicing, music, signal = Slicing.of(model.config), model.config.modalities["music"], model.config.signal
    length, sound = -(-frames // slicing.latents) * slicing.mels, sounding(song)
    samples, mel = sound.at(signal.audio_rate).samples, sound.mel_of(model.config)
    told = music_frames(samples, rhythm.beats.times, signal, music.representation, length, mel)
    return music_rows(told[:length], rhythm.beats, rhythm.onset, slicing)


def takes_cues(config: Config) -> bool:
    """Whether a model's light is told of sections and of the dancer's energy."""
    return config.theatre is not None and config.theatre.denoisers["light"].cue_channels > 0
