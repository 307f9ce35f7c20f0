"""Which devices train, in which precision, as one process or as several that ``torchrun`` started."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision import MixedPrecision
from torch import distributed


class WholeInput(MixedPrecision):
    """Mixed precision whose batches stay as they are. Rounded targets would jitter, and so would what learns them."""

    def convert_input(self, data: Any) -> Any:
        return data


def make_fabric(accelerator: str, precision: str) -> Fabric:
    """One process, or the processes that ``torchrun`` started. They part when this one ends, however it ends.

    accelerator: any of Lightning Fabric; "auto" takes a graphics card where there is one.
    precision: any of Lightning Fabric.
    """
    world = int(os.environ.get("WORLD_SIZE", 1))
    local = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    if accelerator == "auto":
        accelerator = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    strategy = "ddp" if world > 1 else "auto"
    named: Any = precision  # Fabric checks the name itself
    mixed = precision.endswith("-mixed")
    fabric = Fabric(
        accelerator=accelerator,
        strategy=strategy,
        devices=local,
        num_nodes=max(1, world // local),
        precision=None if mixed else named,
        plugins=WholeInput(named, "cuda" if accelerator == "cuda" else "cpu") if mixed else None,
    )
    fabric.launch()
    if world > 1:
        atexit.register(leave_group)
    # On CPUs Fabric silently runs every process alone unless a strategy is given.
    assert fabric.world_size == world, f"torchrun started {world} processes, Fabric sees {fabric.world_size}"
    return fabric


def leave_group() -> None:
    """Leave the processes that train together, and end the threads that talk to them.

    On processors such a thread may still hold tensors after the last step. If it lets go of them when the interpreter
    is gone, the process aborts (``terminate called without an active exception``). Fabric destroys groups of graphics
    cards only. Waits for nobody: work that others do not share in any more fails when their connections close.
    """
    # Wrapped phases would keep the threads alive: those in frames of an uncaught error, and those in cycles.
    sys.last_value = sys.last_traceback = None
    gc.collect()
    if distributed.is_initialized():
        distributed.destroy_process_group()
