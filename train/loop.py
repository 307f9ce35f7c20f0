"""The training loop, on Lightning Fabric. Read ``fit`` first.

A task offers phases (one for each optimiser: a VAE has one, a VAE with a discriminator two), batches and pictures. The
loop owns accumulation, clipping, schedule, EMA, logging, checkpoints and resuming. ``train.fabric`` owns devices and
precision.

All randomness of step ``i`` on rank ``r`` is seeded by ``(seed, i, r)``. So a continued run repeats exactly what the
unbroken run would have done, without storing the state of a generator.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol, TypeVar

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from train.fabric import make_fabric
from train.state import load_state, save_state, with_lists, without_lists

Network = TypeVar("Network", bound=nn.Module)
T = TypeVar("T")


@dataclass(frozen=True)
class LoopConfig:
    """How to train.

    The paper uses AdamW with 2e-4 for the autoencoders, and 1.6e-5 with 10 000 warm-up steps for the denoiser.
    """

    steps: int = 10_000  # updates of the weights
    batch: int = 32  # samples of a micro-batch
    accumulate: int = 1  # micro-batches of `batch` added up before an update
    lr: float = 2e-4  # learning rate after the warm-up
    warmup: int = 200  # steps in which the rate rises
    schedule: str = "cosine"  # or "constant", after the warm-up
    final_lr: float = 0.02  # of `lr`, at the end of the cosine
    weight_decay: float = 1e-2  # of matrices and kernels
    clip: float = 1.0  # largest norm of a phase's gradient
    ema: float = 0.999  # decay of the averaged weights, which are those exported
    precision: str = "bf16-mixed"  # any precision of Lightning Fabric
    accelerator: str = "auto"  # any accelerator of Lightning Fabric
    compile: bool = False  # torch.compile of the networks: minutes to start, then faster steps
    minutes: float = 0.0  # stop, and end the cosine, after this much time; 0 goes by `steps` alone
    seed: int = 0  # of the first weights, batches, noise and dropout
    log_every: int = 20  # steps
    validate_every: int = 500  # steps
    pictures_every: int = 2000  # steps
    save_every: int = 500  # steps, of the state from which an interrupted run goes on


class Phase(nn.Module):
    """The part of a task that one optimiser trains.

    networks: the modules that it trains, by name.
    borrowed: modules that it uses and does not train, because another phase does or because they are frozen. They are
        kept in a plain namespace, so that their weights are no parameters of this phase.
    """

    def __init__(self, networks: dict[str, nn.Module], **borrowed: nn.Module | None) -> None:
        super().__init__()
        self.networks = nn.ModuleDict(networks)
        self.borrowed = SimpleNamespace(**borrowed)

    def network(self, name: str, kind: type[Network]) -> Network:
        """The network of this name, which is of this kind."""
        found = self.networks[name]
        assert isinstance(found, kind), f"{name} is a {type(found).__name__}"
        return found

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        """The weighted losses of one micro-batch, by name. The loop minimises their sum.

        Those whose name starts with ``_`` are only logged.
        """
        raise NotImplementedError


class Task(Protocol):
    """What the loop trains.

    In each step every phase goes through all micro-batches and is updated, in the order of ``phases``. The weights of
    the exported model come from the averages (EMA) of the phases' networks.
    """

    name: str

    @property
    def phases(self) -> dict[str, Phase]: ...

    def batch(self, size: int, generator: torch.Generator) -> dict: ...

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]: ...

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]: ...


def step_generator(seed: int, step: int, rank: int = 0, micro: int = 0) -> torch.Generator:
    """The generator for one micro-batch. It also seeds torch's global one, for dropout."""
    mixed = (((seed * 1_000_003 + step) * 1_009 + rank) * 64 + micro) % (2**63 - 1)
    torch.manual_seed(mixed)
    return torch.Generator().manual_seed(mixed)


def learning_rate(config: LoopConfig, progress: float, step: int) -> float:
    """The rate at ``step``.

    progress: the share of the run that is done, by steps or by time.
    """
    warm = min(1.0, (step + 1) / max(1, config.warmup))
    if config.schedule == "constant":
        return config.lr * warm
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return config.lr * warm * (config.final_lr + (1 - config.final_lr) * cosine)


@torch.no_grad()
def update_ema(ema: dict[str, Phase], phases: dict[str, Phase], decay: float, step: int) -> None:
    """Move the averaged weights. The decay is warmed up, so that early weights are forgotten."""
    mix = get_ema_multi_avg_fn(min(decay, (1 + step) / (10 + step)))
    for name, phase in ema.items():
        live, averaged = phases[name].networks.state_dict(), phase.networks.state_dict()
        floating = [key for key, value in averaged.items() if value.is_floating_point()]
        # all in one call: one by one they would cost a graphics card as much time as a step
        mix([averaged[key] for key in floating], [live[key] for key in floating], step)
        for key in averaged.keys() - floating:
            averaged[key].copy_(live[key])


@dataclass(eq=False)
class Run:
    """A task while it trains.

    phases: as Fabric wraps them. The task's own hold the same weights.
    ema: copies with averaged weights.
    step: how many are done.
    elapsed: seconds of training before this process.
    began: when this process started.
    """

    task: Task
    config: LoopConfig
    fabric: Fabric
    phases: dict[str, Any]  # wrapped by Fabric
    optimisers: dict[str, torch.optim.Optimizer]
    ema: dict[str, Phase]
    step: int = 0
    elapsed: float = 0.0
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds of training in this process and those before."""
        return self.elapsed + time.monotonic() - self.began

    @property
    def progress(self) -> float:
        """The share of the run that is done, by steps or by time. It is 1 or more at the end.

        All processes go by the time of the first: with clocks of their own they would have learning rates of their own,
        and one would end while the others wait for its gradients.
        """
        by_steps = self.step / self.config.steps
        if not self.config.minutes or by_steps >= 1:
            return by_steps
        return max(by_steps, self.fabric.broadcast(self.seconds) / (60 * self.config.minutes))


def fit(task: Task, config: LoopConfig, folder: Path, resume: bool = True, fabric: Fabric | None = None) -> dict:
    """Train ``task``. Leaves ``folder/state.safetensors``, ``folder/ema.safetensors`` and TensorBoard logs.

    resume: continue an existing state exactly. A finished run returns at once.

    Returns ``step``, how many are done; ``history``, a list of ``{"step": ..., "PHASE/LOSS": ...}`` for the steps of
    this call; ``validation``, the last figures; and ``steps_per_second`` of this call.
    """
    run = set_up(task, config, fabric or make_fabric(config.accelerator, config.precision))
    state_path = folder / "state.safetensors"
    if resume and state_path.is_file():
        restore(run, load_state(state_path))
    start, history, validation = run.step, [], {}
    with Logs(run, folder / "logs") if run.fabric.is_global_zero else nullcontext() as logs:
        while (progress := run.progress) < 1:
            rate = learning_rate(config, progress, run.step)
            losses = train_step(run, rate)
            history.append({"step": run.step, **losses})
            if logs is not None:
                logs.stepped(losses, rate)
                if run.step % config.validate_every == 0:
                    validation = logs.validated(announce=True)
                if run.step % config.pictures_every == 0:
                    logs.pictured()
                if run.step % config.save_every == 0:
                    save_state(state_path, snapshot(run))
            run.fabric.barrier()
        if logs is not None:
            last = snapshot(run)
            save_state(state_path, last)
            save_state(folder / "ema.safetensors", {"step": run.step, **last["ema"]})
            validation = logs.validated()
            logs.pictured()
    run.fabric.barrier()
    return {
        "step": run.step,
        "history": history,
        "validation": validation,
        "steps_per_second": (run.step - start) / max(time.monotonic() - run.began, 1e-9),
    }


def set_up(task: Task, config: LoopConfig, fabric: Fabric) -> Run:
    """The run before its first step: phases and optimisers on the device, averages equal to the weights."""
    ema = {name: copy.deepcopy(phase).requires_grad_(False).eval() for name, phase in task.phases.items()}
    phases, optimisers = {}, {}
    for name, phase in task.phases.items():
        if config.compile:
            compile_networks(phase)
        phases[name], optimisers[name] = fabric.setup(phase, optimiser_of(phase, config))
        ema[name].to(fabric.device)
    return Run(task, config, fabric, phases, optimisers, ema)


def optimiser_of(phase: Phase, config: LoopConfig) -> torch.optim.Optimizer:
    """AdamW, with weight decay on matrices and kernels only."""
    trained = [p for p in phase.networks.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, 0.99))


def compile_networks(phase: Phase) -> None:
    """Compile every network in place. Encoders and decoders are compiled separately, as they are called."""
    for network in phase.networks.values():
        parts = [part for name, part in network.named_children() if name in ("encoder", "decoder")]
        for part in parts or [network]:
            part.compile()


def train_step(run: Run, rate: float) -> dict[str, float]:
    """One update of every phase, and of the averages. Returns what is logged, by PHASE/NAME."""
    config, fabric = run.config, run.fabric
    batches = []
    for micro in range(config.accumulate):
        generator = step_generator(config.seed, run.step, fabric.global_rank, micro)
        batches.append((run.task.batch(config.batch, generator), generator))
    logged: dict[str, float] = {}
    for name, phase in run.phases.items():
        logged |= update(run, name, phase, batches, rate)
    update_ema(run.ema, run.task.phases, config.ema, run.step)
    run.step += 1
    return logged


def update(run: Run, name: str, phase: Any, batches: list[tuple[dict, torch.Generator]], rate: float) -> dict:
    """One update of one phase on all micro-batches. A gradient that is not finite changes nothing.

    Returns by PHASE/NAME the mean of each loss, their sum "total", and the norm of the "gradient" before clipping.
    """
    fabric, optimiser, logged = run.fabric, run.optimisers[name], {}
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.zero_grad(set_to_none=True)
    for micro, (batch, generator) in enumerate(batches):
        with fabric.no_backward_sync(phase, enabled=micro < len(batches) - 1):
            losses = phase(fabric.to_device(batch), generator, run.step)
            total = reduce(torch.add, (value for key, value in losses.items() if not key.startswith("_")))
            fabric.backward(total / len(batches))
        values = torch.stack([value.detach().float() for value in (*losses.values(), total)]).tolist()
        for key, value in zip([*losses, "total"], values, strict=True):
            label = f"{name}/{key.lstrip('_')}"
            logged[label] = logged.get(label, 0.0) + value / len(batches)
    clipped = fabric.clip_gradients(phase, optimiser, max_norm=run.config.clip, error_if_nonfinite=False)
    assert clipped is not None, "clipping by norm gives the norm"
    norm = float(clipped)
    if math.isfinite(norm):
        optimiser.step()
    return logged | {f"{name}/gradient": norm}


def snapshot(run: Run) -> dict:
    """The whole state of a run, for ``save_state``."""
    return {
        "step": run.step,
        "elapsed": run.seconds,
        "networks": {name: phase.networks.state_dict() for name, phase in run.task.phases.items()},
        "ema": {name: phase.networks.state_dict() for name, phase in run.ema.items()},
        "optimisers": {name: without_lists(optimiser.state_dict()) for name, optimiser in run.optimisers.items()},
    }


def restore(run: Run, state: dict) -> None:
    """Continue from the state that ``snapshot`` returned."""
    run.step, run.elapsed = state["step"], state["elapsed"]
    for name, phase in run.task.phases.items():
        phase.networks.load_state_dict(state["networks"][name])
        run.ema[name].networks.load_state_dict(state["ema"][name])
        run.optimisers[name].load_state_dict(with_lists(state["optimisers"][name]))
    run.fabric.print(f"{run.task.name}: continuing from step {run.step}")


class Logs:
    """TensorBoard's files, and the progress bar of the main process. Both are complete however the run ends."""

    def __init__(self, run: Run, folder: Path) -> None:
        self.run, name = run, run.task.name
        self.writer = SummaryWriter(str(folder), purge_step=run.step)
        self.bar = tqdm(total=run.config.steps, initial=run.step, desc=name, mininterval=2.0, smoothing=0.05)

    def __enter__(self) -> Logs:
        return self

    def stepped(self, losses: dict[str, float], rate: float) -> None:
        self.bar.update()
        if self.run.step % self.run.config.log_every == 0 or self.run.step == self.run.config.steps:
            for key, value in [*losses.items(), ("learning_rate", rate)]:
                self.writer.add_scalar(key, value, self.run.step)
            first = list(losses.items())[:4]
            self.bar.set_postfix({key.split("/")[-1]: f"{value:.4g}" for key, value in first}, refresh=False)

    def validated(self, announce: bool = False) -> dict[str, float]:
        """Validate the averaged weights, and return the figures."""
        found = _evaluated(self.run.task.validate, self.run.ema)
        for key, value in found.items():
            self.writer.add_scalar(f"validation/{key}", value, self.run.step)
        if announce:
            figures = "  ".join(f"{key} {value:.4g}" for key, value in found.items())
            self.bar.write(f"{self.run.task.name} {self.run.step}: {figures}")
        return found

    def pictured(self) -> None:
        for key, image in _evaluated(self.run.task.pictures, self.run.ema).items():
            self.writer.add_image(key, image, self.run.step, dataformats="HWC")

    def __exit__(self, *error: object) -> None:
        self.bar.close()
        self.writer.close()  # writes what it still holds


def _evaluated(function: Callable[[dict[str, Phase]], T], phases: dict[str, Phase]) -> T:
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        return function(phases)
