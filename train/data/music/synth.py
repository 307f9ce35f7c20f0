"""Renders notes with the FluidSynth program and a General MIDI soundfont, both from the system's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile
import torch

from core.errors import FootlightError
from core.types import Waveform
from train.data.music import midi
from train.data.music.midi import Part

RATE = 44_100
SOUNDFONTS = (
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",  # Debian, Ubuntu
    "/usr/share/soundfonts/FluidR3_GM.sf2",  # Arch, Fedora
)
MORE_SOUNDFONTS = (  # other sounds for the same notes, used where they are installed
    "/usr/share/sounds/sf2/TimGM6mb.sf2",  # Debian: timgm6mb-soundfont
    "/usr/share/sounds/sf3/MuseScore_General.sf3",  # Debian: musescore-general-soundfont
)
SOUNDFONT_VARIABLE = "FOOTLIGHT_SOUNDFONT"
_LEAD_SECONDS = 1.0  # rendered before the excerpt and cut off, so that earlier notes and their reverb ring on in it
_TAIL_SECONDS = 0.5  # rendered after it, because the program may end a few blocks early


def find_program() -> str:
    """The path of FluidSynth. Raises FootlightError with the package's name when it is missing."""
    program = shutil.which("fluidsynth")
    if program is None:
        raise FootlightError(
            "fluidsynth: program not found; it renders MIDI for training. Install it (Debian: apt install fluidsynth "
            "fluid-soundfont-gm)"
        )
    return program


def find_soundfont() -> str:
    """The path of the soundfont. Raises FootlightError with the package's name when it is missing."""
    chosen = os.environ.get(SOUNDFONT_VARIABLE)
    for path in (chosen,) if chosen else SOUNDFONTS:
        if Path(path).is_file():
            return path
    where = f"{chosen} ({SOUNDFONT_VARIABLE})" if chosen else SOUNDFONTS[0]
    raise FootlightError(
        f"{where}: soundfont not found; it is the sound of rendered MIDI. Install it (Debian: apt install "
        f"fluid-soundfont-gm) or set {SOUNDFONT_VARIABLE} to an .sf2 file"
    )


def installed_soundfonts() -> list[str]:
    """The paths of the soundfont and of those of ``MORE_SOUNDFONTS`` that are installed."""
    return [find_soundfont(), *(path for path in MORE_SOUNDFONTS if Path(path).is_file())]


def render(
    parts: Iterable[Part], seconds: float, start: float = 0.0, rate: int = RATE, soundfont: str | None = None
) -> Waveform:
    """The sound of parts from ``start`` on, exactly ``seconds`` long, mono, at its natural level.

    Only the excerpt is rendered, so the time taken grows with ``seconds`` alone. Notes and reverb from before ``start``
    are heard. Many processes may call this at once.

    parts: their times are seconds.
    soundfont: the path of an .sf2 or .sf3 file; None is ``find_soundfont()``.
    """
    program, soundfont = find_program(), soundfont or find_soundfont()
    lead = min(_LEAD_SECONDS, start)
    music = midi.excerpt(parts, start - lead, start + seconds)
    with tempfile.TemporaryDirectory(prefix="footlight-") as folder:
        score, sound = Path(folder, "score.mid"), Path(folder, "sound.wav")
        midi.write(score, music, bpm=120, seconds=lead + seconds + _TAIL_SECONDS)
        command = [program, "-ni", "-q", "-g", "0.4", "-r", str(rate), "-T", "wav", "-O", "float", "-F", str(sound)]
        command += ["-o", "synth.dynamic-sample-loading=1", soundfont, str(score)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0 or not sound.is_file():
            raise FootlightError(f"fluidsynth failed: {(done.stderr or done.stdout).strip() or done.returncode}")
        stereo, _ = soundfile.read(sound, dtype="float32", always_2d=True)
    first, length = round(lead * rate), round(seconds * rate)
    mono = stereo[first : first + length].mean(axis=1)
    return Waveform(torch.from_numpy(np.pad(mono, (0, length - len(mono)))), rate)


def set_level(waveform: Waveform, rms_db: float) -> Waveform:
    """The waveform at ``rms_db`` dB of full scale, with its peaks bent softly below full scale.

    Silence stays silent.
    """
    samples = waveform.samples
    rms = samples.square().mean().sqrt()
    if rms == 0:
        return waveform
    samples = samples * (10 ** (rms_db / 20) / rms)
    knee = 0.6  # linear up to here, then towards 1 without reaching it
    bent = samples.sign() * (knee + (1 - knee) * torch.tanh((samples.abs() - knee) / (1 - knee)))
    return Waveform(torch.where(samples.abs() > knee, bent, samples), waveform.rate)
