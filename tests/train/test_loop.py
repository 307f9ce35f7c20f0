"""The loop on a task whose optimum is known: a linear map fitted to a linear map."""

import copy
import dataclasses
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from train.fabric import make_fabric
from train.loop import LoopConfig, Phase, fit, learning_rate, optimiser_of, set_up, train_step, update_ema
from train.state import load_state

ROOT = Path(__file__).parents[2]
QUICK = LoopConfig(
    steps=40, batch=16, lr=0.2, warmup=2, weight_decay=0.0, ema=0.5, precision="32-true", accelerator="cpu",
    validate_every=1000, pictures_every=1000, save_every=10,
)  # fmt: skip


class LinearPhase(Phase):
    def __init__(self):
        torch.manual_seed(0)
        super().__init__({"map": nn.Sequential(nn.Linear(3, 2, bias=False), nn.Dropout(0.1))})

    def forward(self, batch, generator, step):
        noise = 0.01 * torch.randn(batch["y"].shape, generator=generator)
        return {"error": (self.networks["map"](batch["x"]) - batch["y"] + noise).square().mean()}


class LinearTask:
    name = "linear"
    target = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])

    def __init__(self):
        self.phases = {"linear": LinearPhase()}

    def batch(self, size, generator):
        x = torch.randn(size, 3, generator=generator)
        return {"x": x, "y": x @ self.target.T}

    def validate(self, phases):
        return {"distance": float((phases["linear"].networks["map"][0].weight - self.target).norm())}

    def pictures(self, phases):
        return {}


def test_training_approaches_the_known_answer(tmp_path):
    result = fit(LinearTask(), dataclasses.replace(QUICK, steps=150), tmp_path)
    assert result["validation"]["distance"] < 0.6  # it starts about 4 away; dropout shrinks the best answer by a tenth
    assert list((tmp_path / "logs").glob("events*"))


def test_a_continued_run_repeats_the_unbroken_one(tmp_path):
    whole = fit(LinearTask(), QUICK, tmp_path / "whole")["history"]
    # Broken off after 25 steps without any farewell: only what was saved at step 20 is left.
    broken = LinearTask()
    original, calls = broken.batch, []

    def batch(size, generator):
        calls.append(1)
        if len(calls) > 25:
            raise KeyboardInterrupt
        return original(size, generator)

    broken.batch = batch
    with pytest.raises(KeyboardInterrupt):
        fit(broken, QUICK, tmp_path / "broken")
    assert load_state(tmp_path / "broken" / "state.safetensors")["step"] == 20
    continued = fit(LinearTask(), QUICK, tmp_path / "broken")["history"]
    assert [h["step"] for h in continued] == list(range(21, 41))
    for one, other in zip(whole[20:], continued, strict=True):
        assert one == other  # bit for bit, dropout and noise included
    a, b = (load_state(tmp_path / name / "ema.safetensors") for name in ("whole", "broken"))
    assert torch.equal(a["linear"]["map.0.weight"], b["linear"]["map.0.weight"])


def test_the_logs_of_an_interrupted_run_are_complete(tmp_path):
    task = LinearTask()

    def validate(phases):
        raise KeyboardInterrupt

    task.validate = validate
    with pytest.raises(KeyboardInterrupt) as _held:  # as a debugger or the interpreter would keep its frames
        fit(task, dataclasses.replace(QUICK, log_every=1, validate_every=7), tmp_path)
    logged = EventAccumulator(str(tmp_path / "logs")).Reload().Scalars("linear/total")
    assert [event.step for event in logged] == [1, 2, 3, 4, 5, 6, 7]


def test_what_a_phase_borrows_is_not_trained_by_it(tmp_path):
    """A phase whose loss runs through another network moves its own weights only."""

    class Through(LinearPhase):
        def __init__(self):
            super().__init__()
            self.borrowed.after = nn.Linear(2, 2)

        def forward(self, batch, generator, step):
            return {"error": (self.borrowed.after(self.networks["map"](batch["x"])) - batch["y"]).square().mean()}

    task = LinearTask()
    phase = task.phases["linear"] = Through()
    own, borrowed = (copy.deepcopy(module.state_dict()) for module in (phase.networks, phase.borrowed.after))
    fit(task, dataclasses.replace(QUICK, steps=3), tmp_path)
    assert all(torch.equal(value, borrowed[key]) for key, value in phase.borrowed.after.state_dict().items())
    assert not any(torch.equal(value, own[key]) for key, value in phase.networks.state_dict().items())
    assert set(load_state(tmp_path / "ema.safetensors")["linear"]) == set(own)


def test_accumulated_micro_batches_count_as_one_step(tmp_path):
    result = fit(LinearTask(), dataclasses.replace(QUICK, accumulate=3, steps=4), tmp_path)
    assert [h["step"] for h in result["history"]] == [1, 2, 3, 4]


def test_micro_batches_add_up_to_a_batch(tmp_path):
    """Three of 16 give the losses and the gradient of one of 48."""

    class Plain(LinearPhase):
        def forward(self, batch, generator, step):
            return {"error": (self.networks["map"][0](batch["x"]) - batch["y"]).square().mean()}

    class Rows(LinearTask):
        def __init__(self):
            self.phases = {"linear": Plain()}
            self.rows = torch.randn(48, 3, generator=torch.Generator().manual_seed(1))

        def batch(self, size, generator):
            x, self.rows = self.rows[:size], self.rows[size:]
            return {"x": x, "y": x @ self.target.T}

    added, whole = (
        fit(Rows(), dataclasses.replace(QUICK, steps=1, batch=48 // parts, accumulate=parts), tmp_path / str(parts))
        for parts in (3, 1)
    )
    assert added["history"] == [pytest.approx(values) for values in whole["history"]]


def test_a_gradient_that_is_not_finite_changes_nothing():
    class Bursting(LinearPhase):
        def forward(self, batch, generator, step):
            return {"error": super().forward(batch, generator, step)["error"] * (torch.inf if step == 1 else 1.0)}

    task = LinearTask()
    task.phases = {"linear": Bursting()}
    run = set_up(task, QUICK, make_fabric(QUICK.accelerator, QUICK.precision))
    weight = task.phases["linear"].networks["map"][0].weight
    before = weight.detach().clone()
    for step in range(3):
        train_step(run, 0.1)
        assert torch.equal(weight, before) == (step == 1)
        before = weight.detach().clone()
    assert torch.isfinite(weight).all()


def test_weights_decay_and_biases_do_not():
    phase = Phase({"map": nn.Linear(3, 2), "norm": nn.LayerNorm(2), "frozen": nn.Linear(2, 2).requires_grad_(False)})
    groups = optimiser_of(phase, LoopConfig(weight_decay=0.5)).param_groups
    decays = {id(parameter): group["weight_decay"] for group in groups for parameter in group["params"]}
    named = {name: decays.get(id(parameter)) for name, parameter in phase.networks.named_parameters()}
    assert named == {
        "map.weight": 0.5, "map.bias": 0.0, "norm.weight": 0.0, "norm.bias": 0.0,
        "frozen.weight": None, "frozen.bias": None,
    }  # fmt: skip


@pytest.mark.parametrize(("step", "kept"), [(0, 0.1), (9, 10 / 19), (10_000, 0.9)])
def test_early_weights_are_forgotten(step, kept):
    """The average of zeros and of what is one now."""
    averaged, live = Phase({"norm": nn.BatchNorm1d(2)}), Phase({"norm": nn.BatchNorm1d(2)})
    nn.init.zeros_(averaged.networks["norm"].weight)
    live.networks["norm"].num_batches_tracked.fill_(7)
    update_ema({"it": averaged}, {"it": live}, 0.9, step)
    assert averaged.networks["norm"].weight.tolist() == pytest.approx([1 - kept] * 2)
    assert averaged.networks["norm"].num_batches_tracked == 7, "whole numbers are copied"


def test_the_learning_rate_warms_up_and_falls():
    config = LoopConfig(lr=1.0, warmup=10, final_lr=0.1)
    assert learning_rate(config, 0.0, 0) == pytest.approx(0.1)
    assert learning_rate(config, 0.5, 100) == pytest.approx(0.55)
    assert learning_rate(config, 1.0, 200) == pytest.approx(0.1)


TWO = """
import atexit, json, os, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests/train"]
from test_loop import LinearTask, QUICK
from train.fabric import make_fabric
from train.loop import fit
rank, out, found = int(os.environ["RANK"]), Path(sys.argv[2]), {}

def leave_report():
    threads = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    found["gloo"] = [name for name in threads if "gloo" in name]
    (out / f"{rank}.json").write_text(json.dumps(found))

atexit.register(leave_report)  # before what the loop registers, so it runs after that
fabric = make_fabric(QUICK.accelerator, QUICK.precision)
found["gloo while training"] = sum("gloo" in path.read_text() for path in Path("/proc/self/task").glob("*/comm"))
task = LinearTask()
"""


def in_two_processes(tmp_path, body):
    """Run ``body`` after TWO under torchrun. Returns what each process reported at its end, and how both ended."""
    script = tmp_path / "run.py"
    script.write_text(TWO + textwrap.dedent(body))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*command, str(script), str(ROOT), str(tmp_path)],
        capture_output=True,
        text=True,
        env=dict(os.environ, OMP_NUM_THREADS="1", CUDA_VISIBLE_DEVICES=""),
        timeout=300,
    )
    return [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)], done


linux = pytest.mark.skipif(sys.platform != "linux", reason="the threads of a process are read from /proc")


@linux
def test_two_processes_train_one_model(tmp_path):
    (first, second), done = in_two_processes(
        tmp_path,
        """
        result = fit(task, QUICK, out / "run", fabric=fabric)
        found["losses"] = [step["linear/total"] for step in result["history"]]
        found["weight"] = task.phases["linear"].networks["map"][0].weight.tolist()
        """,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert first["weight"] == second["weight"] and first["losses"] != second["losses"]  # each has batches of its own
    assert first["losses"][-1] < 0.5 * first["losses"][0]
    for ended in (first, second):  # a thread that outlives the interpreter's end may abort the process
        assert ended["gloo while training"] > 0 and ended["gloo"] == []


@linux
def test_two_processes_go_by_one_clock(tmp_path):
    """Of a run that goes by time: they have one learning rate, so one set of weights, and end with the same step."""
    reports, done = in_two_processes(
        tmp_path,
        """
        import dataclasses, itertools, time
        from train import loop
        looks, now = itertools.count(), time.monotonic
        loop.time = type("Clock", (), {"monotonic": lambda: now() + 3 * (1 + rank) * next(looks)})
        result = fit(task, dataclasses.replace(QUICK, minutes=1.0), out / "run", fabric=fabric)
        found["weight"] = task.phases["linear"].networks["map"][0].weight.tolist()
        found["step"] = result["step"]
        """,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert reports[0]["weight"] == reports[1]["weight"]
    assert reports[0]["step"] == reports[1]["step"] < QUICK.steps


@linux
def test_two_processes_end_when_one_fails(tmp_path):
    """The first raises while the second waits for it. Both end with that, and neither hangs or aborts."""
    reports, done = in_two_processes(
        tmp_path,
        """
        def validate(phases):
            raise RuntimeError("no figures")
        task.validate = validate
        fit(task, QUICK, out / "run", fabric=fabric)
        """,
    )
    assert done.returncode == 1 and "RuntimeError: no figures" in done.stderr, done.stderr[-3000:]
    assert "terminate called" not in done.stderr
    assert [report["gloo"] for report in reports] == [[], []]
