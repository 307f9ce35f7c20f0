"""How long jobs are expected to take, against simulated computers; and what is told while one runs."""

import itertools
import json
import math
import random
import statistics
from dataclasses import dataclass

import pytest

from blender_addon.engine import timings
from blender_addon.engine.pace import Pace, about, share_at
from blender_addon.engine.timings import Expected, Task, Timings, Took


@dataclass
class Computer:
    """Takes so many seconds for a unit of work and for each job, and is now and then busy with something else."""

    speed: float
    fixed: float
    noise: float
    generator: random.Random

    def seconds(self, task: Task) -> float:
        slow = 3.0 if self.generator.random() < 0.1 else 1.0
        exact = self.fixed + self.speed * task.seconds * (task.work + 7.0)
        return slow * exact * math.exp(self.generator.gauss(0.0, self.noise))


@pytest.mark.parametrize("speed", [0.002, 0.02, 0.2])
@pytest.mark.parametrize("seed", range(4))
def test_after_a_few_songs_the_next_one_is_foretold_to_a_third(speed, seed):
    generator = random.Random(seed)
    computer = Computer(speed, 0.5, 0.08, generator)
    known, errors = Timings(), []
    for _ in range(25):
        task = Task("dance", generator.uniform(20.0, 240.0), generator.choice((4, 4, 4, 48)))
        told, took = known.total(task, cold=False), computer.seconds(task)
        if told is not None:
            errors.append(abs(math.log(told / took)))
        known = known.learnt(task, Took(took))
    assert statistics.median(errors[3:]) < math.log(1.33)


def test_jobs_of_a_like_size_foretell():
    """What short dances took says nothing of long ones, where long ones were seen too."""
    known = Timings()
    for seconds, rate in [(20.0, 3.0)] * 7 + [(400.0, 1.0)] * 5:
        known = known.learnt(Task("dance", seconds, 0.0), Took(rate * seconds))
    assert known.total(Task("dance", 30.0, 0.0), cold=False) == pytest.approx(90.0)
    assert known.total(Task("dance", 180.0, 0.0), cold=False) == pytest.approx(180.0), "9 times as long, or 2.2"


def test_nothing_is_foretold_that_was_not_seen():
    known = Timings().learnt(Task("dance", 30.0, 12), Took(10.0))
    assert known.total(Task("score", 30.0, 25), cold=False) is None
    assert known.total(Task("dance", 30.0, 12, device="cuda"), cold=False) is None
    assert known.total(Task("dance", 0.0, 12), cold=False) is None
    assert known.total(Task("dance", 60.0, 12), cold=False) == pytest.approx(20.0)


def test_a_cold_engine_costs_its_start_and_reading_its_own():
    task = Task("score", 10.0, 25)
    known = Timings().learnt(task, Took(6.0, start=5.0, prepare=2.0))
    assert known.total(task, cold=False) == pytest.approx(8.0)
    assert known.total(task, cold=True) == pytest.approx(13.0)
    assert known.expect(Task("score", 30.0, 25), cold=False).prepare == pytest.approx(6.0)


def test_another_speed_is_learnt():
    """A new processor, or a laptop without its charger."""
    task, known = Task("dance", 30.0, 12), Timings()
    for seconds in [10.0] * 20 + [30.0] * 4:
        known = known.learnt(task, Took(seconds))
    assert known.total(task, cold=False) == pytest.approx(30.0)


def test_what_is_kept_is_bounded_and_comes_back(tmp_path):
    path, known = tmp_path / "timings.json", Timings()
    curve = tuple((i / timings.KNOTS) ** 2 for i in range(timings.KNOTS + 1))
    for i in range(100):
        task = Task("dance", 30.0 + i, 12, device=f"device {i % 40}")
        known = known.learnt(task, Took(10.0, 5.0, 1.0, curve))
    timings.write(path, known)
    assert timings.read(path) == known
    assert path.stat().st_size < timings.LARGEST_FILE and [p.name for p in tmp_path.iterdir()] == ["timings.json"]
    assert len(known.work) == timings.KINDS and all(len(jobs) <= timings.KEPT for jobs in known.work.values())
    assert timings.read(tmp_path / "none.json") == Timings()


def test_a_kind_of_job_that_comes_often_is_kept():
    often, known = Task("dance", 30.0, 12), Timings()
    for i in range(2 * timings.KINDS):
        for task in (often, Task("dance", 30.0, 12, device=f"device {i}")):
            known = known.learnt(task, Took(10.0, 5.0, 1.0, timings.EVEN))
    for kept in (known.work, known.prepare, known.curves):
        assert len(kept) == timings.KINDS and {often.kind, task.kind} <= kept.keys()
    assert {often.device, task.device} <= known.start.keys()


WHOLE = {
    "version": timings.VERSION,
    "work": {"dance auto": [[660.0, 10.0]]},
    "prepare": {},
    "start": {"auto": [5.0]},
    "curves": {"dance auto": list(timings.EVEN)},
}
"""A file that can be read."""


def test_a_file_that_is_whole_is_read(tmp_path):
    path = tmp_path / "timings.json"
    path.write_text(json.dumps(WHOLE))
    assert timings.read(path).total(Task("dance", 30.0, 12), cold=True) == pytest.approx(15.0)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        "[" * 100_000,
        json.dumps({**WHOLE, "version": timings.VERSION - 1}),
        json.dumps({**WHOLE, "work": []}),
        json.dumps({**WHOLE, "work": {"dance auto": [[1.0]]}}),
        json.dumps({**WHOLE, "work": {"dance auto": [[-1.0, 2.0]]}}),
        json.dumps({**WHOLE, "work": {"dance auto": [[1.0, "2"]]}}),
        json.dumps({**WHOLE, "work": {"dance auto": [[1.0, True]]}}),
        json.dumps({**WHOLE, "work": {"dance auto": [[1.0, math.nan]]}}),
        json.dumps({**WHOLE, "start": {"auto": [math.inf]}}),
        json.dumps({**WHOLE, "curves": {"dance auto": [0.0, 1.0]}}),
        json.dumps({**WHOLE, "curves": {"dance auto": [0.5] * 20 + [0.4]}}),
        json.dumps({**WHOLE, "curves": {"dance auto": [math.nan] * 21}}),
        "\udcff",
    ],
)
def test_a_damaged_file_is_as_none(content, tmp_path):
    path = tmp_path / "timings.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    found = timings.read(path)
    assert found == Timings()
    task = Task("dance", 30.0, 12)
    timings.write(path, found.learnt(task, Took(10.0)))
    assert timings.read(path).total(task, cold=False) == pytest.approx(10.0)


def test_a_folder_that_cannot_be_written_loses_nothing_else(tmp_path):
    timings.write(tmp_path / "gone" / "timings.json", Timings())


# While it runs


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


STAGES = ((0.0, 0.05), (0.02, 0.145), (0.06, 0.195), (0.94, 0.809), (1.0, 0.98))
"""Shares of the time, and what the engine says then: as it is."""


def told(pace: Pace, clock: Clock, work: float, start: float = 0.0) -> list[tuple[float, float | None, float]]:
    """What a pace says, ten times a second: fraction, seconds left, and those that are really left."""
    end, found = clock.now + start + work, []
    begin = clock.now + start
    while clock.now < end:
        clock.now += 0.1
        share = min((clock.now - begin) / work, 1.0)
        if share >= 0:
            low, high = next((a, b) for a, b in itertools.pairwise(STAGES) if share <= b[0] + 1e-9)
            exact = low[1] + (share - low[0]) / (high[0] - low[0]) * (high[1] - low[1])
            pace.saw(math.floor(exact * 20) / 20)  # a word now and then, as after each denoising step
        found.append((pace.fraction, pace.left, end - clock.now))
    return found


def test_with_what_was_learnt_the_time_left_is_right_from_the_start():
    clock = Clock()
    pace = Pace(Expected(30.0, 5.0), timings.FIRST["dance"], cold=True, clock=clock)
    found = told(pace, clock, 30.0, start=5.0)
    assert all(left is not None and abs(left - real) < 3.0 for _, left, real in found)
    fractions = [fraction for fraction, _, _ in found]
    assert fractions == sorted(fractions) and fractions[-1] > 0.9
    assert all(abs(fraction - (35.0 - real) / 35.0) < 0.1 for fraction, _, real in found)


def test_without_it_nothing_is_said_until_the_work_tells():
    clock = Clock()
    pace = Pace(Expected(), timings.FIRST["dance"], cold=True, clock=clock)
    found = told(pace, clock, 40.0, start=6.0)
    assert all(left is None and fraction == 0.0 for fraction, left, real in found if real > 41.0)
    assert all(left is not None and abs(left - real) < 0.25 * 40.0 for _, left, real in found if real < 28.0)


def test_a_computer_that_is_slower_today_is_believed_in_the_end():
    clock = Clock()
    pace = Pace(Expected(10.0, 0.0), timings.FIRST["dance"], cold=False, clock=clock)
    found = told(pace, clock, 40.0)
    assert all(abs(left - real) < 8.0 for _, left, real in found if left and real < 15.0)
    assert all(abs(left - real) < 3.0 for _, left, real in found if real < 10.0)
    assert all(left > 0 for _, left, _ in found), "it never says that nothing is left while it works"


def test_its_own_clock_is_learnt():
    clock = Clock()
    pace = Pace(Expected(), timings.EVEN, cold=True, clock=clock)
    told(pace, clock, 40.0, start=6.0)
    took = pace.took()
    assert took.work == pytest.approx(40.0, abs=0.5) and took.start == pytest.approx(6.0, abs=0.5)
    assert took.prepare is None and len(took.curve) == len(timings.EVEN)
    for share, fraction in STAGES[1:-1]:
        assert share_at(took.curve, fraction) == pytest.approx(share, abs=0.06)


def test_reading_counts_too():
    clock = Clock()
    pace = Pace(Expected(20.0, 0.0, 10.0), timings.FIRST["score"], cold=False, clock=clock)
    for i in range(100):
        clock.now += 0.1
        pace.saw(i / 100, preparing=True)
        assert abs(pace.left - (30.0 - (i + 1) / 10)) < 1.5
    told(pace, clock, 20.0)
    took = pace.took()
    assert took.prepare == pytest.approx(10.0, abs=0.2) and took.work == pytest.approx(20.0, abs=0.2)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.3, "a few seconds"),
        (7.4, "about 7 s"),
        (33.0, "about 35 s"),
        (88.0, "about 90 s"),
        (100.0, "about 1.5 min"),
        (121.0, "about 2 min"),
        (1000.0, "about 17 min"),
    ],
)
def test_a_time_is_told_as_one_says_it(seconds, words):
    assert about(seconds) == words
