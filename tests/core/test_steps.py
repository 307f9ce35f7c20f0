"""Long operations as generators: what they yield, how often, and that the plain functions give the same."""

import torch

from core.audio import beat_tracking, io, mel
from core.rhythm.features import analyse, analysis
from core.types import Progress, Waveform, part, run

RATE = 16_000


def noise(seconds):
    return torch.randn(round(seconds * RATE), generator=torch.Generator().manual_seed(0)) * 0.1


def counting(end):
    for i in range(end):
        yield Progress("counting", i / end, {"at": i})
    return "counted"


def test_a_part_of_a_longer_operation():
    seen = []
    assert run(part(counting(4), "all of it", 0.5, 0.7), seen.append) == "counted"
    assert [progress.stage for progress in seen] == ["all of it"] * 4
    assert torch.allclose(torch.tensor([p.fraction for p in seen]), torch.tensor([0.5, 0.55, 0.6, 0.65]))
    assert seen[3].detail == {"at": 3}


def test_a_spectrum_in_blocks_is_torchs_in_one_piece():
    samples = noise(80.0)  # 5000 frames, in three blocks
    seen = []
    found = run(mel.spectrum_steps(samples, 1024, 256), seen.append)
    window = torch.hann_window(1024)
    wanted = torch.stft(samples, 1024, 256, window=window, center=True, pad_mode="reflect", return_complex=True)
    assert len(seen) == 3 and seen[-1].fraction == 1
    assert torch.allclose(found, wanted.abs().T[: len(found)], atol=1e-4) and len(found) == len(samples) // 256
    assert torch.equal(found, mel.spectrum(samples, 1024, 256))


def test_hearing_a_song_can_be_left_between_small_steps(make_song, tmp_path):
    """Several steps for every quarter of a minute, whatever is being computed."""
    io.write(tmp_path / "song.wav", make_song(120.0))
    seen = []
    song = run(io.reading(tmp_path / "song.wav"), seen.append)
    assert len(seen) >= 8 and seen[-1].fraction == 1
    seen.clear()
    heard = run(analysis(song), seen.append)
    fractions = [progress.fraction for progress in seen]
    assert len(fractions) >= 16 and fractions == sorted(fractions) and fractions[-1] <= 1
    plain = analyse(song)
    assert torch.equal(heard.beats.times, plain.beats.times) and torch.equal(heard.onset, plain.onset)
    steps = beat_tracking.tracking(song)
    next(steps)
    steps.close()  # a cancelled song leaves nothing behind that the next one would see
    assert torch.equal(beat_tracking.track_beats(song).times, plain.beats.times)


def test_the_louder_of_two_channels_that_cancel(tmp_path):
    import soundfile

    left = noise(2.0).numpy()
    soundfile.write(tmp_path / "song.wav", torch.stack([torch.tensor(left), torch.tensor(-left)], 1).numpy(), RATE)
    assert io.read(tmp_path / "song.wav").samples.abs().max() > 0.2
    three = torch.stack([torch.tensor(left), torch.tensor(left) / 2, torch.zeros(len(left))], 1)
    soundfile.write(tmp_path / "song.wav", three.numpy(), RATE, subtype="FLOAT")
    assert torch.allclose(io.read(tmp_path / "song.wav").samples, three.mean(1), atol=1e-6)
    assert isinstance(io.read(tmp_path / "song.wav"), Waveform)
