import pytest
import torch
from torch import nn

from core.theatre.layers import MultiHead, RelativeBias, SliceEncoder, by_slice


@pytest.mark.parametrize("biased", [False, True])
def test_attention_is_pytorchs_with_the_same_weights(biased):
    torch.manual_seed(0)
    ours, theirs = MultiHead(16, 8, 10, 6), nn.MultiheadAttention(16, 8, kdim=6, vdim=6, batch_first=True)
    query, told = torch.randn(2, 5, 10), torch.randn(2, 9, 6)
    with torch.no_grad():
        theirs.q_proj_weight.copy_(torch.eye(16))  # ours has queries of another width than its own
        theirs.k_proj_weight.copy_(ours.key.weight)
        theirs.v_proj_weight.copy_(ours.value.weight)
        theirs.in_proj_bias.copy_(torch.cat([torch.zeros(16), ours.key.bias, ours.value.bias]))
        theirs.out_proj.weight.copy_(ours.out.weight)
        theirs.out_proj.bias.copy_(ours.out.bias)
    bias = torch.randn(8, 5, 9) if biased else None
    mask = None if bias is None else bias.repeat(2, 1, 1)
    expected, _ = theirs(ours.query(query), told, told, attn_mask=mask)
    torch.testing.assert_close(ours(query, told, bias), expected)


def test_relative_positions_know_distances_alone():
    bias = RelativeBias(2, 3)
    nn.init.normal_(bias.bias)
    table = bias(6, 9)
    assert table.shape == (2, 6, 9)
    for apart in range(-5, 9):
        diagonal = table.diagonal(apart, dim1=1, dim2=2)
        assert bool((diagonal == diagonal[:, :1]).all())
    assert torch.equal(table[:, 0, 3], table[:, 0, 8])  # beyond its reach


def test_order_matters_only_by_distances():
    torch.manual_seed(0)
    encoder = SliceEncoder(16, 2, 2, 4)
    x = torch.randn(1, 6, 16)
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    torch.testing.assert_close(encoder(x[:, order]), encoder(x)[:, order])  # no distance is learned yet
    nn.init.normal_(encoder.distance.bias, std=3.0)
    assert float((encoder(x[:, order]) - encoder(x)[:, order]).detach().abs().max()) > 0.1
    mirrored = SliceEncoder(16, 2, 2, 4)
    state = encoder.state_dict()
    mirrored.load_state_dict({**state, "distance.bias": state["distance.bias"].flip(-1)})
    torch.testing.assert_close(encoder(x.flip(1)).flip(1), mirrored(x))


def test_slices_have_mean_and_maximum():
    frames = torch.arange(12.0).view(1, 6, 2)
    assert by_slice(frames, 3).tolist() == [[[2, 3, 4, 5], [8, 9, 10, 11]]]
