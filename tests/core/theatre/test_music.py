import torch

from core.rhythm.events import EVENT_FPS
from core.theatre.music import GatedFusion, MusicEncoder
from core.theatre.slices import Slicing, music_rows
from core.types import Beats

BEATS = Beats(torch.arange(0, 4, 0.5), 120.0, torch.arange(8) % 4 == 0)


def rows_of(slicing: Slicing, mel: torch.Tensor) -> torch.Tensor:
    return music_rows(mel, BEATS, torch.zeros(len(mel)), slicing)


def test_rows_hold_what_happens_in_their_slice(shape):
    slicing = Slicing.of(shape)
    mel = torch.randn(250, 80, generator=torch.Generator().manual_seed(0))
    rows = rows_of(slicing, mel)
    assert len(rows) == 250 // slicing.mels
    frames, events, slots = slicing.unpack_music(rows[None])
    assert torch.equal(frames[0], mel[: frames.shape[1]])
    times = [
        (int(index * slicing.seconds * EVENT_FPS) + frame) / EVENT_FPS
        for index, frame in events[0, :, :, 0].nonzero().tolist()
    ]
    assert set(times) == {time for time in BEATS.times.tolist() if time < len(rows) * slicing.seconds}
    assert slots.shape[-1] == slicing.slots * 3 and bool((slots[0, :, 0] > 0).all())


def test_an_empty_song_has_no_rows(shape):
    slicing = Slicing.of(shape)
    assert rows_of(slicing, torch.zeros(3, 80)).shape == (0, sum(slicing.music_widths))


def test_a_gate_mixes_timbre_and_rhythm():
    torch.manual_seed(0)
    fusion, timbre, rhythm = GatedFusion(3, 4, 5), torch.randn(2, 3), torch.randn(2, 4)
    for bias, expected in ((50.0, fusion.timbre(timbre)), (-50.0, fusion.rhythm(rhythm))):
        torch.nn.init.constant_(fusion.gate.bias, bias)
        torch.testing.assert_close(fusion(timbre, rhythm), expected)


def test_every_input_of_a_slice_is_heard(shape):
    torch.manual_seed(0)
    slicing = Slicing.of(shape)
    encoder, rows = MusicEncoder(shape.theatre, slicing), rows_of(slicing, torch.randn(250, 80))[None]
    vectors = encoder(rows)
    assert vectors.shape == (1, rows.shape[1], shape.theatre.width)
    place = 0
    for width in slicing.music_widths:
        other = rows.clone()
        other[:, 2, place : place + width] += 1
        assert float((encoder(other) - vectors).detach()[0, 2].abs().max()) > 1e-4
        place += width
    frames = slicing.unpack_music(rows)[0]
    assert encoder.timbre_of(frames).shape[-1] == shape.theatre.timbre


def test_the_timbre_of_a_slice_ignores_the_order_of_its_frames(shape):
    slicing = Slicing.of(shape)
    encoder = MusicEncoder(shape.theatre, slicing)
    frames = torch.randn(1, slicing.mels, 80)
    torch.testing.assert_close(encoder.timbre_of(frames.flip(1)), encoder.timbre_of(frames))
