"""The vocoder: what it carries on, what it agrees with, and that pieces of a song are the song."""

import dataclasses
import json
import math

import pytest
import torch

from core import config, records
from core.audio.mel import filterbank, log_mel
from core.audio.stft import analyse, synthesise
from core.config import Config, SignalConfig, VocoderConfig
from core.errors import FootlightError
from core.vocoder.griffin_lim import MOMENTUM, fast_griffin_lim
from core.vocoder.model import CORRECTED, Heads, Vocoder, carried, unroll

HOP = 256
SMALL = VocoderConfig(width=16, blocks=2, expansion=2, rounds=3)


@pytest.fixture(scope="module")
def vocoder():
    torch.manual_seed(0)
    return Vocoder(SMALL, SignalConfig()).eval()


def tone(hz, frames):
    return 0.5 * torch.cos(2 * math.pi * hz * torch.arange(frames * HOP) / 16_000)


@pytest.mark.parametrize("hz", [440.0, 1003.0, 2750.0])
def test_a_steady_tone_is_carried_on_from_one_frame(hz):
    """Told magnitudes, the advance of the tone and its first phase, the recursion finds every other phase."""
    samples = tone(hz, 60)
    truth = analyse(samples[None], 1024, HOP)
    advance = torch.polar(torch.ones(1, 60, 513), torch.tensor(2 * math.pi * hz * HOP / 16_000))
    fresh = torch.zeros_like(truth)
    fresh[:, 3] = 1e3 * truth[:, 3] / truth[:, 3].abs()
    loud = truth.abs().clamp_min(1e-5)
    spectrum, state = unroll(Heads(loud, advance, fresh).cut(3, 60))
    assert torch.equal(state, spectrum[:, -1])
    sound = synthesise(spectrum, HOP)[0]
    inside = slice(4 * HOP, 50 * HOP)
    error = (sound - samples[3 * HOP :])[inside]
    assert error.square().mean() < 1e-4 * samples.square().mean()


def test_what_is_fresh_takes_over_where_it_is_strong():
    previous = torch.full((1, 4), 3.0 + 0.0j)
    one, turned = torch.ones(1, 4) + 0j, torch.full((1, 4), 1j)
    for strength, expected in ((0.0, 0.0), (1.0, math.pi / 4), (1e4, math.pi / 2)):
        phasor = carried(previous, one, strength * turned)
        torch.testing.assert_close(phasor.angle(), torch.full((1, 4), expected), atol=1e-3, rtol=0)
        torch.testing.assert_close(phasor.abs(), torch.ones(1, 4))


def test_neighbours_follow_the_loudest():
    previous = torch.tensor([[0.1j, 100.0 + 0j, 0.1j, 0.1j, 0.1j]])
    phases = carried(previous, torch.ones(1, 5) + 0j, torch.zeros(1, 5) + 0j).angle()[0]
    torch.testing.assert_close(phases, torch.tensor([0, 0, 0, math.pi / 2, math.pi / 2]), atol=0.01, rtol=0)


def test_going_on_from_a_state_is_going_on(vocoder, music):
    heads = vocoder.heads(log_mel(music, SignalConfig())[None])
    whole, _ = unroll(heads)
    first, state = unroll(heads.cut(0, 100))
    second, _ = unroll(heads.cut(100, 312), state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_what_is_unrolled_is_carried_from_frame_to_frame(vocoder, music):
    heads = vocoder.heads(log_mel(music, SignalConfig())[None, :20])
    spectrum, _ = unroll(heads)
    before = torch.cat([torch.zeros_like(spectrum[:, :1]), spectrum[:, :-1]], dim=1)
    expected = heads.magnitude * carried(before, heads.advance, heads.fresh)
    torch.testing.assert_close(spectrum, expected, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_rounds_that_hold_the_mel_come_nearer_to_it(vocoder, music):
    mel = log_mel(music, SignalConfig())[None]
    spectrum, _ = unroll(vocoder.heads(mel))
    fixed = fast_griffin_lim(spectrum.abs(), spectrum, HOP, SMALL.rounds)
    apart = [(log_mel(sound, SignalConfig()) - mel).abs().mean() for sound in (vocoder.settled(spectrum, mel), fixed)]
    assert apart[0] < 0.95 * apart[1]


@torch.no_grad()
def test_rounds_are_fast_griffin_lim_whose_last_magnitudes_are_corrected(vocoder, music):
    """Perraudin, Balazs and Soendergaard (2013), algorithm 2, step by step and without any haste."""
    mel = log_mel(music, SignalConfig())[None, :80]
    spectrum, _ = unroll(vocoder.heads(mel))
    made, magnitude, before = spectrum, spectrum.abs(), None
    for number in range(SMALL.rounds):
        now = analyse(synthesise(made, HOP), 1024, HOP)
        if number >= SMALL.rounds - CORRECTED:
            ratio = mel.exp() / (now.abs() @ vocoder.bank).clamp_min(1e-5)
            magnitude = (now.abs() * (ratio.clamp(0.01, 100) @ vocoder.spread)).clamp(1e-5, 512)
        phase = now if before is None else now + MOMENTUM * (now - before)
        made, before = magnitude * torch.sgn(phase), now
    torch.testing.assert_close(vocoder.settled(spectrum, mel), synthesise(made, HOP), atol=1e-5, rtol=0)


def test_magnitudes_have_the_mel_that_was_given(vocoder, music):
    mel = log_mel(music, SignalConfig())[None]
    bank = filterbank(16_000, 1024, 80, 8000.0)
    noise = torch.randn(1, 312, 513, generator=torch.Generator().manual_seed(0))
    for share, most in ((0.0, 0.03), (1.0, 0.1)):
        made = vocoder.magnitude(mel, share * noise)
        assert (made > 0).all()
        assert ((made @ bank).clamp_min(1e-5).log() - mel).abs().mean() < most


@torch.no_grad()
@pytest.mark.parametrize("frames", [0, 1, 2, 3, 17, 64, 65, 312])
def test_pieces_are_the_song(vocoder, music, frames):
    mel = log_mel(music, SignalConfig())[None, :frames].expand(2, -1, -1)
    pieces = vocoder.decode_long(mel, chunk=32)
    assert pieces.shape == (2, frames * HOP)
    if frames:
        torch.testing.assert_close(pieces, vocoder(mel), atol=1e-4, rtol=0)


@torch.no_grad()
def test_a_sine_has_no_joins(vocoder):
    mel = log_mel(tone(440, 300), SignalConfig())[None]

    def roughest(sound):
        return float(sound[0, 4096:-4096].diff(n=2).abs().max())

    assert roughest(vocoder.decode_long(mel, chunk=50)) < 1.01 * roughest(vocoder(mel))


@torch.no_grad()
def test_memory_is_flat():
    """Whatever the song's length, the network sees no more than a chunk and what reaches into it."""
    vocoder = Vocoder(SMALL, SignalConfig())
    lengths = []
    vocoder.blocks[0].register_forward_hook(lambda module, inputs, output: lengths.append(output.shape[1]))
    vocoder.decode_long(torch.full((1, 700, 80), -5.0), chunk=64)
    assert max(lengths) <= 64 + 4 * (SMALL.rounds + 1) + 2 * vocoder.reach


def test_the_reach_is_what_a_frame_depends_on():
    torch.manual_seed(0)
    vocoder = Vocoder(SMALL, SignalConfig())
    mel = torch.full((1, 80, 80), -5.0, requires_grad=True)
    vocoder.heads(mel).fresh[:, 40].abs().sum().backward()
    touched = mel.grad[0].abs().sum(dim=1).nonzero()[:, 0]
    assert (int(touched.min()), int(touched.max())) == (40 - vocoder.reach, 40 + vocoder.reach)


@torch.no_grad()
def test_it_is_the_same_every_time(vocoder, music):
    mel = log_mel(music, SignalConfig())[None]
    assert torch.equal(vocoder.decode_long(mel), vocoder.decode_long(mel))


def test_silence_is_quiet(vocoder):
    assert vocoder.decode_long(torch.full((1, 50, 80), math.log(1e-5))).abs().max() < 1e-3


def test_bad_input_is_refused(vocoder):
    for mel in (torch.zeros(5, 80), torch.zeros(1, 5, 79)):
        with pytest.raises(FootlightError, match="log-mels of shape"):
            vocoder.decode_long(mel)
    with pytest.raises(FootlightError, match="not numbers"):
        vocoder.decode_long(torch.full((1, 5, 80), math.inf))


def test_a_configuration_may_have_a_vocoder():
    plain = dataclasses.replace(config.preset("tiny"), vocoder=None)
    with_one = records.from_json(
        Config, json.loads(json.dumps({**records.to_json(plain), "vocoder": {"width": 32}})), "config"
    )
    assert with_one.vocoder == VocoderConfig(width=32)
    old = records.to_json(plain)
    del old["vocoder"]  # as written before there was one
    assert records.from_json(Config, old, "config") == plain
    assert records.from_json(Config, json.loads(json.dumps(records.to_json(plain))), "config") == plain
    with pytest.raises(FootlightError, match=r"config\.vocoder\.width"):
        records.from_json(Config, {**records.to_json(plain), "vocoder": {"width": "wide"}}, "config")
