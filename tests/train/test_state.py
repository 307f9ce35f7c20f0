import pytest
import torch

from core.errors import FootlightError
from train.state import load_state, save_state


def test_an_optimiser_state_survives_the_file(tmp_path):
    layer = torch.nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(layer.parameters(), lr=0.1, betas=(0.9, 0.99))
    layer(torch.ones(4, 3)).sum().backward()
    optimiser.step()
    state = {
        "step": 7,
        "elapsed": 1.5,
        "net": layer.state_dict(),
        "optimiser": {"state": optimiser.state_dict()["state"]},
    }
    save_state(tmp_path / "run" / "state.safetensors", state)
    read = load_state(tmp_path / "run" / "state.safetensors")
    assert read["step"] == 7 and read["elapsed"] == 1.5
    for index, moments in optimiser.state_dict()["state"].items():
        for name, value in moments.items():
            assert torch.equal(read["optimiser"]["state"][index][name], value)
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["state.safetensors"]  # nothing half-written stays


def test_a_damaged_state_is_named(tmp_path):
    path = tmp_path / "state.safetensors"
    path.write_bytes(b"not a state")
    with pytest.raises(FootlightError, match=r"state\.safetensors"):
        load_state(path)
