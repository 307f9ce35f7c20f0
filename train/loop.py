"""The training loop: one function that reads top to bottom, on Lightning Fabric.

A task offers *phases* (one for each optimiser: a VAE has one, a VAE with a discriminator two), batches and pictures;
the loop owns precision, devices, accumulation, clipping, schedule, EMA, logging, checkpoints and resuming.

All randomness of step ``i`` on rank ``r`` is seeded by ``(seed, i, r)``: a continued run needs no generator state to
repeat exactly what the unbroken run would have done.
"""

from __future__ import annotations

import copy
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from train.state import load_state, save_state


@dataclass(frozen=True)
class LoopConfig:
    """How to train. Paper: AdamW, 2e-4 for the autoencoders, 1.6e-5 with 10 000 warm-up steps for the denoiser."""

    steps: int = 10_000
    batch: int = 32
    accumulate: int = 1  # micro-batches of `batch` added up before an update
    lr: float = 2e-4
    warmup: int = 200
    schedule: str = "cosine"  # or "constant", after the warm-up
    final_lr: float = 0.02  # of `lr`, where the cosine ends
    weight_decay: float = 1e-2
    clip: float = 1.0
    ema: float = 0.999
    precision: str = "bf16-mixed"  # any precision of Lightning Fabric
    accelerator: str = "auto"
    compile: bool = False  # torch.compile of the networks: minutes to start, then faster steps
    minutes: float = 0.0  # stop (and let the cosine end) after this much time; 0: by `steps` alone
    seed: int = 0
    log_every: int = 20
    validate_every: int = 500
    pictures_every: int = 2000
    save_every: int = 500


class Phase(nn.Module):
    """The part of a task that one optimiser trains. ``networks`` are its trained modules by name."""

    networks: nn.ModuleDict

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        """Named losses, already weighted; the loop minimises their sum. Names that start with ``_`` are only logged."""
        raise NotImplementedError


class Task(Protocol):
    """What the loop trains. ``tensors`` for the exported model come from the phases' networks (EMA)."""

    name: str
    phases: dict[str, Phase]

    def batch(self, size: int, generator: torch.Generator) -> dict: ...

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]: ...

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]: ...


def step_generator(seed: int, step: int, rank: int = 0, micro: int = 0, device: str | torch.device = "cpu"):
    """The generator for one micro-batch; also seeds torch's global one (dropout)."""
    mixed = (((seed * 1_000_003 + step) * 1_009 + rank) * 64 + micro) % (2**63 - 1)
    torch.manual_seed(mixed)
    return torch.Generator(device=device).manual_seed(mixed)


def learning_rate(config: LoopConfig, progress: float, step: int) -> float:
    """The rate at ``step``; ``progress`` is the share of the run that is done (by steps or by time)."""
    warm = min(1.0, (step + 1) / max(1, config.warmup))
    if config.schedule == "constant":
        return config.lr * warm
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return config.lr * warm * (config.final_lr + (1 - config.final_lr) * cosine)


def make_fabric(config: LoopConfig) -> Fabric:
    """One process, or the processes that ``torchrun`` started."""
    world = int(os.environ.get("WORLD_SIZE", 1))
    local = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    accelerator = config.accelerator
    if accelerator == "auto":
        accelerator = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    strategy = "ddp" if world > 1 else "auto"
    fabric = Fabric(
        accelerator=accelerator,
        strategy=strategy,
        devices=local,
        num_nodes=max(1, world // local),
        precision=config.precision,
    )
    fabric.launch()
    # On CPUs Fabric quietly runs every process alone when the strategy is left to it.
    assert fabric.world_size == world, f"torchrun started {world} processes, Fabric sees {fabric.world_size}"
    return fabric


@torch.no_grad()
def update_ema(ema: dict[str, Phase], phases: dict[str, Phase], decay: float, step: int) -> None:
    """Move the averaged weights; the decay is warmed up so that early weights are forgotten."""
    decay = min(decay, (1 + step) / (10 + step))
    for name, phase in ema.items():
        live = phases[name].networks.state_dict()
        for key, value in phase.networks.state_dict().items():
            if value.is_floating_point():
                value.lerp_(live[key].to(value.dtype), 1 - decay)
            else:
                value.copy_(live[key])


def fit(task: Task, config: LoopConfig, folder: Path, resume: bool = True, fabric: Fabric | None = None) -> dict:
    """Train ``task`` and leave ``folder/state.safetensors``, ``folder/ema.safetensors`` and TensorBoard logs.

    Returns {"step", "losses": [of the last steps], "validation": {...}, "steps_per_second"}.
    With ``resume``, an existing state is continued exactly; a finished run returns at once.
    """
    fabric = fabric or make_fabric(config)
    main = fabric.is_global_zero
    state_path = folder / "state.safetensors"

    ema = {name: copy.deepcopy(phase).requires_grad_(False).eval() for name, phase in task.phases.items()}
    optimisers, wrapped = {}, {}
    for name, phase in task.phases.items():
        decay = [p for p in phase.networks.parameters() if p.requires_grad and p.ndim > 1]
        plain = [p for p in phase.networks.parameters() if p.requires_grad and p.ndim <= 1]
        groups = [{"params": decay, "weight_decay": config.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        optimiser = torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, 0.99))
        if config.compile:
            for network in phase.networks.values():
                parts = [part for part_name, part in network.named_children() if part_name in ("encoder", "decoder")]
                for part in parts or [network]:
                    part.compile()
        wrapped[name], optimisers[name] = fabric.setup(phase, optimiser)
        ema[name].to(fabric.device)

    start, elapsed_before, history = 0, 0.0, []
    if resume and state_path.is_file():
        state = load_state(state_path)
        start, elapsed_before = state["step"], state["elapsed"]
        for name, phase in task.phases.items():
            phase.networks.load_state_dict(state["networks"][name])
            ema[name].networks.load_state_dict(state["ema"][name])
            optimisers[name].load_state_dict(_listed(state["optimisers"][name]))
        fabric.print(f"{task.name}: continuing from step {start}")

    def snapshot(step: int) -> dict:
        return {
            "step": step,
            "elapsed": elapsed_before + time.monotonic() - began,
            "networks": {n: p.networks.state_dict() for n, p in task.phases.items()},
            "ema": {n: p.networks.state_dict() for n, p in ema.items()},
            "optimisers": {n: _keyed(o.state_dict()) for n, o in optimisers.items()},
        }

    writer = SummaryWriter(str(folder / "logs"), purge_step=start) if main else None
    bar = tqdm(total=config.steps, initial=start, desc=task.name, disable=not main, mininterval=2.0, smoothing=0.05)
    began, validation, step = time.monotonic(), {}, start
    while step < config.steps:
        elapsed = elapsed_before + time.monotonic() - began
        progress = max(step / config.steps, elapsed / (60 * config.minutes) if config.minutes else 0.0)
        if progress >= 1:
            break
        rate = learning_rate(config, progress, step)
        logged: dict[str, float] = {}
        batches = []
        for micro in range(config.accumulate):
            generator = step_generator(config.seed, step, fabric.global_rank, micro)
            batches.append((task.batch(config.batch, generator), generator))
        for name, phase in wrapped.items():
            optimiser = optimisers[name]
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.zero_grad(set_to_none=True)
            for micro, (batch, generator) in enumerate(batches):
                last = micro == config.accumulate - 1
                with fabric.no_backward_sync(phase, enabled=not last):
                    losses = phase(fabric.to_device(batch), generator, step)
                    total = sum(value for key, value in losses.items() if not key.startswith("_"))
                    fabric.backward(total / config.accumulate)
                for key, value in losses.items():
                    label = f"{name}/{key.lstrip('_')}"
                    logged[label] = logged.get(label, 0.0) + float(value.detach()) / config.accumulate
                logged[f"{name}/total"] = logged.get(f"{name}/total", 0.0) + float(total.detach()) / config.accumulate
            norm = fabric.clip_gradients(phase, optimiser, max_norm=config.clip, error_if_nonfinite=False)
            logged[f"{name}/gradient"] = float(norm)
            if math.isfinite(logged[f"{name}/gradient"]):
                optimiser.step()
        update_ema(ema, task.phases, config.ema, step)
        step += 1
        history.append({"step": step, **logged})
        bar.update()

        if main and (step % config.log_every == 0 or step == config.steps):
            for key, value in logged.items():
                writer.add_scalar(key, value, step)
            writer.add_scalar("learning_rate", rate, step)
            bar.set_postfix({k.split("/")[-1]: f"{v:.4g}" for k, v in list(logged.items())[:4]}, refresh=False)
        if main and step % config.validate_every == 0:
            validation = _evaluated(task.validate, ema)
            for key, value in validation.items():
                writer.add_scalar(f"validation/{key}", value, step)
            bar.write(f"{task.name} {step}: " + "  ".join(f"{k} {v:.4g}" for k, v in validation.items()))
        if main and step % config.pictures_every == 0:
            for key, image in _evaluated(task.pictures, ema).items():
                writer.add_image(key, image, step, dataformats="HWC")
        if main and step % config.save_every == 0:
            save_state(state_path, snapshot(step))
        fabric.barrier()

    bar.close()
    if main:
        last = snapshot(step)
        save_state(state_path, last)
        save_state(folder / "ema.safetensors", {"step": step, **last["ema"]})
        validation = _evaluated(task.validate, ema)
        for key, value in validation.items():
            writer.add_scalar(f"validation/{key}", value, step)
        for key, image in _evaluated(task.pictures, ema).items():
            writer.add_image(key, image, step, dataformats="HWC")
        writer.close()
    fabric.barrier()
    seconds = time.monotonic() - began
    return {
        "step": step,
        "history": history,
        "validation": validation,
        "steps_per_second": (step - start) / max(seconds, 1e-9),
    }


def _evaluated(function, phases: dict[str, Phase]):
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        return function(phases)


def _keyed(optimiser_state: dict) -> dict:
    """Lists become dicts with integer keys, so that the state is nested dicts only."""
    groups = {i: dict(group) for i, group in enumerate(optimiser_state["param_groups"])}
    return {"state": optimiser_state["state"], "param_groups": groups}


def _listed(optimiser_state: dict) -> dict:
    groups = optimiser_state["param_groups"]
    return {"state": optimiser_state.get("state", {}), "param_groups": [groups[i] for i in sorted(groups)]}
