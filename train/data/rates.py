"""The rates of prepared data: plain numbers, and the signal that they make.

A prepared data set is written once and read by every run. Its rates are therefore those of the files on disk, and
not those of one model's configuration: a run with other rates needs data that is prepared for them. The ratios make
every pair simple: two mel frames for one motion frame, and whole frames of both for one latent frame.
"""

from core.config import SignalConfig

AUDIO_RATE = 16_000  # Hz, mono; above 8 kHz there is little that a dance follows
HOP_SAMPLES = 256  # from one mel frame to the next
MEL_FPS = AUDIO_RATE / HOP_SAMPLES  # 62.5 frames a second: log-mels, onset strength and loudness
MOTION_FPS = MEL_FPS / 2  # 31.25 frames a second


def prepared_signal() -> SignalConfig:
    """The signal of the log-mels in prepared data."""
    return SignalConfig(audio_rate=AUDIO_RATE, hop_samples=HOP_SAMPLES)
