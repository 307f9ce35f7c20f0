import dataclasses

import pytest
import torch

from core.config import DenoiserConfig, preset
from core.diffusion.conditioning import ConditionedNetwork
from core.diffusion.networks import denoiser_of, size
from core.diffusion.transformer import FeedForward, rotary_angles, rotate
from core.errors import FootlightError
from core.types import Condition

TINY = DenoiserConfig(
    latent_channels=4, context={"music": 3}, rhythm_channels=2, styles=3, width=16, blocks=2, attentions=2, heads=2,
    ff_kernel=5, ff_multiplier=2, condition_width=8, positions="rotary", max_frames=40, multipliers=(1, 2),
)  # fmt: skip
B, T = 3, 20
BOTH = {"music": 3, "light": 5}
every_kind = pytest.mark.parametrize("kind", ["transformer", "unet"])
every_entry = pytest.mark.parametrize("entry", ["concatenated", "added"])


def make(**changes) -> ConditionedNetwork:
    """Random weights everywhere: a fresh network answers zero."""
    network, generator = denoiser_of(dataclasses.replace(TINY, **changes)).eval(), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return network


def given(t: int = T):
    generator = torch.Generator().manual_seed(1)
    z, observed = torch.randn(2, B, t, 4, generator=generator)
    mask = (torch.rand(B, t, 1, generator=generator) < 0.5).float()
    latents, rhythm = torch.randn(B, t, 3, generator=generator), torch.randn(B, t, 2, generator=generator)
    style = torch.randn(B, 3, generator=generator).softmax(dim=-1)
    return z, torch.tensor([3, 500, 999]), Condition({"music": latents}, rhythm, style, observed, mask)


def differs(a, b) -> bool:
    return float((a - b).detach().abs().max()) > 1e-3


@every_kind
def test_loudness_can_be_spread(kind):
    """A network with a power hears what one without hears of loudness to that power."""
    plain, spread = (make(kind=kind, rhythm_channels=10, loudness_power=power) for power in (1.0, 11.0))
    spread.load_state_dict(plain.state_dict())
    z, step, condition = given()
    rhythm = torch.rand(B, T, 10, generator=torch.Generator().manual_seed(2))
    powered = rhythm.clone()
    powered[..., 7] **= 11
    told = [dataclasses.replace(condition, rhythm=some) for some in (powered, rhythm)]
    assert torch.equal(plain(z, step, told[0]), spread(z, step, told[1]))
    assert differs(plain(z, step, told[1]), spread(z, step, told[1]))


@every_kind
def test_parts_are_told_apart_and_one_mask_stands_for_all_of_them(kind):
    network = make(kind=kind, observed_parts=2)
    z, step, condition = given()
    whole, legs, arms = (
        network(z, step, dataclasses.replace(condition, observed_mask=condition.observed_mask * torch.tensor(parts)))
        for parts in ([1.0, 1.0], [1.0, 0.0], [0.0, 1.0])
    )
    torch.testing.assert_close(network(z, step, condition), whole)
    assert differs(whole, legs) and differs(legs, arms)


def test_the_paper_preset_has_the_papers_size():
    assert size(preset("paper").denoisers["motion"]) == pytest.approx(158e6, rel=0.03)


@pytest.mark.parametrize(
    "changes",
    [
        *({"positions": positions, "attentions": count} for positions in ("rotary", "learned") for count in (1, 2)),
        {"context": {"music": 3, "light": 3}},
        {"context": {"music": 3, "light": 3}, "context_entry": "added"},
        {"kind": "unet"},
        {"kind": "unet", "attentions": 1, "multipliers": (1, 1, 2)},
    ],
    ids=str,
)
def test_padding_changes_nothing(changes):
    network = make(**changes)
    z, step, condition = given()
    junk = 100 * torch.randn(B, 9, 10, generator=torch.Generator().manual_seed(2))

    def padded(x):
        return x if x.ndim < 3 else torch.cat([x, junk[..., : x.shape[2]]], dim=1)

    valid = torch.arange(T + 9).expand(B, -1) < T
    result = network(padded(z), step, condition.map(padded), valid)
    torch.testing.assert_close(result[:, :T], network(z, step, condition), rtol=1e-4, atol=1e-4)


@every_kind
@pytest.mark.parametrize("part", ["context", "rhythm", "style", "observed_mask"])
def test_every_part_matters_and_may_be_absent(part, kind):
    network, (z, step, condition) = make(kind=kind), given()
    without = dataclasses.replace(condition, **{part: {} if part == "context" else None})
    assert differs(network(z, step, condition), network(z, step, without))


@every_kind
def test_the_step_matters(kind):
    network, (z, _, condition) = make(kind=kind), given()
    assert differs(network(z, torch.full((B,), 10), condition), network(z, torch.full((B,), 990), condition))


@every_kind
def test_what_is_dropped_is_as_if_absent_but_observations_stay(kind):
    network, (z, step, condition) = make(kind=kind), given()
    bare = Condition(observed=condition.observed, observed_mask=condition.observed_mask)
    keep = torch.tensor([True, False, False])
    mixed = network(z, step, dataclasses.replace(condition, keep=keep))
    torch.testing.assert_close(mixed[:1], network(z, step, condition)[:1], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(mixed[1:], network(z, step, bare)[1:], rtol=1e-4, atol=1e-4)


@every_kind
def test_a_style_of_no_weight_is_the_default_style(kind):
    network, (z, step, condition) = make(kind=kind), given()
    none = dataclasses.replace(condition, style=None)
    zeros = dataclasses.replace(condition, style=torch.zeros(B, 3))
    torch.testing.assert_close(network(z, step, zeros), network(z, step, none), rtol=1e-4, atol=1e-4)


@every_kind
def test_what_was_not_observed_is_not_seen(kind):
    network, (z, step, condition) = make(kind=kind), given()
    hidden = dataclasses.replace(condition, observed=condition.observed + 50 * (1 - condition.observed_mask))
    torch.testing.assert_close(network(z, step, condition), network(z, step, hidden), rtol=1e-4, atol=1e-4)


def given_both(t: int = T):
    """What ``given`` gives, and latents of a second modality."""
    z, step, condition = given(t)
    light = torch.randn(B, t, 5, generator=torch.Generator().manual_seed(3))
    return z, step, dataclasses.replace(condition, context={**condition.context, "light": light})


@every_kind
@pytest.mark.parametrize("context", [{}, BOTH], ids=["none", "two"])
def test_any_number_of_modalities_is_heard(kind, context):
    network, (z, step, condition) = make(kind=kind, context=context), given_both()
    condition = dataclasses.replace(condition, context={name: condition.context[name] for name in context})
    whole = network(z, step, condition)
    assert whole.shape == z.shape
    for name in context:
        rest = {other: latents for other, latents in condition.context.items() if other != name}
        assert differs(whole, network(z, step, dataclasses.replace(condition, context=rest)))


@every_kind
def test_what_is_heard_has_no_order(kind):
    network, (z, step, condition) = make(kind=kind, context=BOTH), given_both()
    turned = dataclasses.replace(condition, context=dict(reversed(condition.context.items())))
    assert torch.equal(network(z, step, condition), network(z, step, turned))


def test_weights_of_one_modality_are_shaped_as_they_always_were():
    """Two segments of frames and the time token: what models of the first format hold."""
    state = make().state_dict()
    assert state["segment"].shape == (3, 16) and state["context_in.music.conv.weight"].shape[1] == 3 + 2
    assert make(context=BOTH).state_dict()["segment"].shape == (4, 16)


@pytest.mark.parametrize("segments", [1, 2, 3])
def test_the_feed_forward_does_not_run_over_the_seam(segments):
    """Gradients of one token reach as far as two kernels, and never into another segment."""
    heard = {str(number): 3 for number in range(segments - 1)}
    layer = FeedForward(dataclasses.replace(TINY, context=heard)).eval()
    x = torch.randn(1, 1 + segments * T, 16, requires_grad=True)
    seams = [(0, {0})]
    for number in range(segments):
        first, last = 1 + number * T, (number + 1) * T
        seams += [(first, set(range(first, first + 5))), (last, set(range(last - 4, last + 1)))]
    for token, reach in seams:
        (gradient,) = torch.autograd.grad(layer(x, None)[0, token].sum(), x)
        assert set(gradient[0].abs().amax(dim=-1).nonzero()[:, 0].tolist()) == reach


def test_the_time_token_is_convolved_as_a_sequence_of_one():
    layer = FeedForward(TINY).eval()
    x = torch.randn(2, 1 + 2 * T, 16)
    alone = layer.fall(layer._gate(layer.rise(layer.norm(x[:, :1]))))
    torch.testing.assert_close(layer(x, None)[:, :1] - x[:, :1], alone, rtol=1e-4, atol=1e-5)


def test_rotary_attention_knows_distances_and_ties_the_two_segments():
    angles = rotary_angles(T, 2, 8, torch.device("cpu"))
    assert torch.equal(angles[1 : 1 + T], angles[1 + T :]) and float(angles[1, 0]) == 0
    query, key = torch.randn(8), torch.randn(8)

    def score(i, j):
        a, b = angles[1 + i], angles[1 + T + j]
        return rotate(query[None], a.cos()[None], a.sin()[None]) @ rotate(key[None], b.cos()[None], b.sin()[None]).T

    torch.testing.assert_close(score(3, 7), score(11, 15), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(score(5, 5), (query @ key).view(1, 1), rtol=1e-4, atol=1e-4)


def test_an_unknown_kind_is_named():
    with pytest.raises(FootlightError, match="unknown denoiser 'mamba': choose one of transformer, unet"):
        make(kind="mamba")


def test_more_frames_than_learned_positions():
    network = make(positions="learned")
    z, step, condition = given(41)
    with pytest.raises(FootlightError, match="41 frames"):
        network(z, step, condition)
    assert make()(z, step, condition).shape == z.shape


@every_kind
def test_a_model_that_takes_nothing_but_latents(kind):
    network = make(kind=kind, rhythm_channels=0, styles=0, observed=False)
    z, step, condition = given()
    assert differs(network(z, step, condition), network(z, step, Condition()))


@every_kind
def test_bfloat16_agrees_with_float32(kind):
    network = denoiser_of(dataclasses.replace(TINY, kind=kind)).eval()
    torch.nn.init.normal_(network.out.weight)
    z, step, condition = given()
    exact = network(z, step, condition)
    with torch.autocast("cpu", torch.bfloat16):
        rough = network(z, step, condition).float()
    assert float(((rough - exact).norm() / exact.norm()).detach()) < 0.05


@every_kind
def test_a_skip_starts_as_none_and_then_passes_each_channel_on_by_the_step(kind):
    network = make(kind=kind, skip=True)
    z, step, condition = given()
    plain = denoiser_of(dataclasses.replace(TINY, kind=kind)).eval()
    plain.load_state_dict({name: p for name, p in network.state_dict().items() if not name.startswith("skip.")})
    with torch.no_grad():
        wanted = plain(z, step, condition)
        for parameter in network.skip.parameters():
            parameter.zero_()
        torch.testing.assert_close(network(z, step, condition), wanted)
        network.skip.bias.copy_(torch.tensor([-1.0, 0, 0, 1, 0.5, 0.5, 0, 0]))  # scales of the output, shares of z
        made = network(z, step, condition)
        expected = wanted * torch.tensor([0.0, 1, 1, 2]) + z * torch.tensor([0.5, 0.5, 0, 0])
        torch.testing.assert_close(made, expected)
        network.skip.weight.normal_(generator=torch.Generator().manual_seed(0))
        assert differs(network(z, step, condition) - network(z, step + 1, condition), plain(z, step, condition) * 0)


@every_kind
@pytest.mark.parametrize("skip", [False, True])
def test_every_weight_is_trained(kind, skip):
    network = make(kind=kind, skip=skip).train()
    z, step, condition = given()
    keep = torch.tensor([True, False, True])
    partial = dataclasses.replace(condition, style=0.5 * condition.style, keep=keep)
    network(z, step, partial).square().mean().backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None or float(p.grad.abs().max()) == 0]
    assert idle == []


@pytest.mark.parametrize("part", ["context", "rhythm", "style", "observed_mask"])
def test_every_part_matters_where_the_context_is_added(part):
    network, (z, step, condition) = make(context_entry="added"), given()
    without = dataclasses.replace(condition, **{part: {} if part == "context" else None})
    assert differs(network(z, step, condition), network(z, step, without))


def test_an_added_context_takes_no_tokens_of_its_own():
    lengths = []
    for entry in ("added", "concatenated"):
        network = make(context_entry=entry, context=BOTH)
        network.blocks[0].register_forward_pre_hook(lambda _, inputs: lengths.append(inputs[0].shape[1]))
        network(*given_both())
    assert lengths == [1 + T, 1 + 3 * T]


def test_an_unknown_entry_of_context_is_refused():
    with pytest.raises(FootlightError, match="concatenated or added"):
        make(context_entry="shouted")


@every_kind
@every_entry
def test_a_guided_network_hears_how_strongly(kind, entry):
    network, (z, step, condition) = make(kind=kind, context_entry=entry, guided=True), given()

    def at(*strength: float, keep=None):
        return network(z, step, dataclasses.replace(condition, guidance=torch.tensor(strength), keep=keep))

    one, mixed = at(1.0, 1.0, 1.0), at(1.0, 3.0, 5.0)
    torch.testing.assert_close(network(z, step, condition), one)  # none is 1
    torch.testing.assert_close(mixed[0], one[0], rtol=1e-4, atol=1e-4)
    assert differs(mixed[1], one[1]) and differs(mixed[2], one[2])
    dropped = torch.zeros(B, dtype=torch.bool)
    torch.testing.assert_close(at(1.0, 3.0, 5.0, keep=dropped), at(1.0, 1.0, 1.0, keep=dropped))
