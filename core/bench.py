"""How fast this computer makes a dance, measured with a song that is made for it.

A dance's time grows with the song's length, so one measurement tells what any song will take.
"""

from __future__ import annotations

import platform
import re
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core import progress
from core.pipeline import DanceOptions, Model, generate_dance
from core.pipeline.model import native_half
from core.types import Waveform

SONG_SECONDS = 30.0  # of the song that is danced to
SONG_RATE = 44_100  # Hz, as most songs have it
TEMPO = 120.0  # beats per minute
RUNS = 3
CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Speed:
    """The speed of a computer.

    processor: its name.
    arithmetic: the fastest that it has for networks: "bf16", "AVX-512", "AVX2" or another name of PyTorch's.
    device: where the networks run.
    threads: that PyTorch uses.
    runs: seconds of each dance of ``SONG_SECONDS``, with the model loaded and used before.
    """

    processor: str
    arithmetic: str
    device: str
    threads: int
    runs: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """The median of the runs."""
        return statistics.median(self.runs)

    def expected(self, seconds: float) -> float:
        """Seconds that a dance to a song of ``seconds`` takes."""
        return self.seconds * seconds / SONG_SECONDS


def measure(model: Model, options: DanceOptions | None = None, runs: int = RUNS) -> Speed:
    """Dance to the song once to warm up and ``runs`` times by the clock."""
    song, taken = plain_song(), []
    for run in range(runs + 1):
        with progress.part(run / (runs + 1), (run + 1) / (runs + 1), "Timing a dance"):
            began = time.perf_counter()
            generate_dance(model, song, options)
            taken.append(time.perf_counter() - began)
    device = model.device
    return Speed(processor(), arithmetic(device), str(device), torch.get_num_threads(), tuple(taken[1:]))


def told(speed: Speed, length: float, song: str) -> str:
    """A line about a speed and about a song of ``length`` seconds that is called ``song``."""
    threads = "1 thread" if speed.threads == 1 else f"{speed.threads} threads"
    minutes, seconds = divmod(round(length), 60)
    expected = speed.expected(length)
    return (
        f"{speed.processor} ({speed.arithmetic}, {threads}): {speed.seconds:.1f} s for a dance of {SONG_SECONDS:g} s "
        f"({min(speed.runs):.1f} to {max(speed.runs):.1f}); {song} of {minutes}:{seconds:02d} takes about "
        f"{expected:.{0 if expected >= 9.95 else 1}f} s"
    )


def plain_song() -> Waveform:
    """A song in four-four time: a kick on one and three, noise on two and four, hats between them, and a bass."""
    generator = np.random.default_rng(0)
    beat = 60 / TEMPO
    samples = np.zeros(round(SONG_SECONDS * SONG_RATE))

    def play(at: float, sound: np.ndarray) -> None:
        start = round(at * SONG_RATE)
        samples[start : start + len(sound)] += sound[: len(samples) - start]

    def fading(length: float, halving: float) -> tuple[np.ndarray, np.ndarray]:
        clock = np.arange(round(length * SONG_RATE)) / SONG_RATE
        return clock, 0.5 ** (clock / halving)

    for number in range(int(SONG_SECONDS / beat)):
        clock, fade = fading(0.3, 0.04)
        noise = generator.standard_normal(len(clock))
        drum = 0.15 * noise if number % 2 else 0.6 * np.sin(2 * np.pi * (50 * clock + 2 * (1 - fade)))
        play(number * beat, drum * fade)
        play((number + 0.5) * beat, 0.04 * noise[: len(noise) // 4])
        clock, fade = fading(beat, beat / 2)
        play(number * beat, 0.2 * fade * np.sin(2 * np.pi * (55, 55, 73.4, 82.4)[number // 4 % 4] * clock))
    return Waveform(torch.from_numpy(samples.clip(-1, 1)).float(), SONG_RATE)


def processor() -> str:
    """The name of the processor, as its maker has it where the system tells."""
    told = CPU_INFO.read_text("utf-8", "replace") if CPU_INFO.is_file() else ""
    if found := re.search(r"^model name\s*:\s*(.+)", told, re.MULTILINE):
        return found[1].strip()
    if platform.system() == "Darwin":
        asked = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True)
        if asked.returncode == 0:
            return asked.stdout.strip()
    return platform.processor() or platform.machine()


def arithmetic(device: torch.device) -> str:
    """The fastest arithmetic that a device has for networks, as in ``Speed``."""
    if native_half(device) is not None:
        return "bf16"
    known = {"AVX512": "AVX-512", "AVX2": "AVX2"}
    capability = torch.backends.cpu.get_cpu_capability()
    return known.get(capability, capability) if device.type == "cpu" else device.type
