import torch

from core.audio.features35 import features35
from core.audio.mel import log_mel
from core.audio.representation import music_frames, to_float, to_int16, waveform_frames
from core.config import SignalConfig

BEATS = torch.tensor([0.1, 0.6])


def noise(count):
    return 0.1 * torch.randn(count, generator=torch.Generator().manual_seed(0))


def test_sixteen_bits_are_near_and_clip():
    samples = torch.cat((noise(1000), torch.tensor([1.5, -1.5, 1.0, -1.0])))
    back = to_float(to_int16(samples))
    assert (back - samples.clamp(-1, 1)).abs().max() <= 0.5 / 32767 + 1e-7
    assert torch.equal(to_int16(back), to_int16(samples))
    assert torch.equal(to_float(samples), samples)


def test_frames_of_the_waveform_are_the_samples_in_order():
    samples = noise(1000)
    frames = waveform_frames(samples, 256)
    assert torch.equal(frames.flatten(), samples[:768])


def test_every_representation_has_its_width_and_frames():
    samples = noise(20_000)
    for music, hop in (("mel", 256), ("waveform", 256), ("features35", 512), ("features35", 1024)):
        signal = SignalConfig(hop_samples=hop)
        made = music_frames(samples, BEATS, signal, music)
        assert made.shape == (20_000 // hop, signal.channels(music))
        longer = music_frames(samples, BEATS, signal, music, len(made) + 3)
        assert len(longer) == len(made) + 3 and torch.equal(longer[: len(made)], made)
        held = torch.zeros_like(made[-1]) if music == "waveform" else made[-1]
        assert torch.equal(longer[-3:], held.expand(3, -1))
    assert torch.equal(music_frames(samples, BEATS, SignalConfig()), log_mel(samples, SignalConfig()))
    signal = SignalConfig(hop_samples=512)
    assert torch.equal(music_frames(samples, BEATS, signal, "features35"), features35(samples, BEATS, 16_000, 512))
    stored = music_frames(to_int16(samples), BEATS, SignalConfig(), "waveform")
    torch.testing.assert_close(stored, waveform_frames(samples, 256), atol=2e-5, rtol=0)
