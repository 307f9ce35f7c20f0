"""What edits of a long dance cost beside the whole dance, in processor time of one thread, in one process.

Seconds on the clock would count what other programs do, and two threads what they wait for each other. Each run makes
another dance, because a fit takes as many steps as its dance needs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from core import pipeline
from core.edits.parts import parse_parts
from core.pipeline.edit import Edit, edit_dance
from core.types import Waveform
from train.bench.timing import one_thread
from train.demo.song import BPM

FOUR_BARS = 16 * 60 / BPM  # seconds of the demo song
KINDS = ("all", "upper", "lower", "arms")
HEARING = "hearing the song"
WHOLE = "making the dance"

T = TypeVar("T")


def edit_seconds(model: pipeline.Model, song: Waveform, runs: int) -> dict[str, float]:
    """Median processor seconds of ``HEARING``, of ``WHOLE``, and of an edit of each of ``KINDS`` in its middle.

    Of a song that is shorter than four times ``FOUR_BARS``, a quarter is edited.
    """
    taken: dict[str, list[float]] = {what: [] for what in (HEARING, WHOLE, *KINDS)}

    def timed(what: str, make: Callable[[], T]) -> T:
        began = time.process_time()
        made = make()
        taken[what].append(time.process_time() - began)
        return made

    with one_thread():
        for seed in range(-1, runs):  # the first one warms up
            options = pipeline.DanceOptions(seed=max(0, seed))
            heard = timed(HEARING, partial(pipeline.hear_song, model, song))
            base = timed(WHOLE, partial(pipeline.dance_to, model, heard, options))
            frames = round(min(FOUR_BARS, song.seconds / 4) * base.motion.fps)
            start = (base.motion.frames - frames) // 2
            for kind in KINDS:
                edit = Edit(base.motion, start, start + frames, parse_parts(kind))
                timed(kind, partial(edit_dance, model, heard, edit, options, base.style))
    return {what: statistics.median(seconds[1:]) for what, seconds in taken.items()}
