"""Distillation: the teacher's paths against its sampler, and the student's targets against the sampler's own steps."""

from dataclasses import replace

import pytest
import torch

from core.autoencoder.networks import autoencoder_of
from core.config import preset, with_styles
from core.diffusion.guidance import guided
from core.diffusion.sampler import ddim_step, sample
from core.diffusion.schedule import CLEAN, linear_sqrt
from core.errors import FootlightError
from train.tasks.denoiser import DenoiserTask
from train.tasks.diffusion import condition_of
from train.tasks.distill import DistillTask, DistillTaskConfig, line
from train.tasks.paths import GUIDANCE, POINTS, PathsConfig, Teacher, kept
from train.variants import distilled

FRAMES, STEPS = 16, 6
PATHS = PathsConfig(frames=FRAMES, shortest=FRAMES, steps=STEPS, count=20)
CONFIG = with_styles(preset("tiny"), ("a", "b", "c"))
VAE = autoencoder_of(CONFIG.modalities["motion"])
SCHEDULE = linear_sqrt()


def teacher_of(**settings) -> Teacher:
    """A teacher with random weights everywhere, and noise for capture."""
    generator = torch.Generator().manual_seed(0)
    motion, music = (CONFIG.modalities[name].autoencoder for name in ("motion", "music"))

    def noise(channels: int, frames: int = 40) -> torch.Tensor:
        return torch.randn(frames, channels, generator=generator)

    clips = [
        {
            "latents": noise(motion.latent_channels),
            "context.music": noise(music.latent_channels),
            "rhythm": noise(CONFIG.denoisers["motion"].rhythm_channels),
            "features": noise(motion.channels, 40 * motion.stride),
            "style": style,
        }
        for style in range(3)
    ]
    config = replace(PATHS, **settings)
    torch.manual_seed(0)
    task = DenoiserTask(CONFIG, config, VAE, {"train": clips, "val": clips})
    with torch.no_grad():
        for parameter in task.phases["denoiser"].networks.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return Teacher(task, config)


def task_of(paths: dict, steps: int = 2, **settings) -> DistillTask:
    config = DistillTaskConfig(steps=steps, paths=PATHS, **settings)
    return DistillTask(distilled(CONFIG, steps), config, VAE, {"train": paths, "val": paths})


@pytest.fixture(scope="module")
def paths():
    return teacher_of().paths(12, torch.Generator().manual_seed(1))


def test_a_path_is_what_the_guided_teacher_samples(paths):
    teacher = teacher_of()
    for i in (0, 7):
        one = {name: values[i : i + 1] for name, values in paths.items()}
        denoise = guided(teacher.denoise, float(one[GUIDANCE]))
        condition = replace(condition_of(one), guidance=None)
        *_, dance = sample(denoise, one[POINTS][:, 0], SCHEDULE, STEPS, condition=condition)
        torch.testing.assert_close(one[POINTS][:, -1], dance, rtol=1e-3, atol=1e-3)


def test_paths_are_drawn_once_for_the_same_teacher(tmp_path):
    teacher = teacher_of()
    first = kept(teacher, tmp_path, 20)
    assert len(first[POINTS]) == 32 and len(list(tmp_path.glob("*/*"))) == 2
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*")}
    again = kept(teacher, tmp_path, 20)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*")} == times
    assert all(torch.equal(first[name], again[name]) for name in first)
    more = kept(teacher_of(count=40), tmp_path, 40)
    assert len(more[POINTS]) == 48 and torch.equal(more[POINTS][:32], first[POINTS])
    with torch.no_grad():
        next(teacher.network.parameters()).add_(1.0)
    assert not torch.equal(kept(teacher, tmp_path, 20)[POINTS], first[POINTS])


def test_styles_are_asked_for_as_users_do():
    teacher = teacher_of(mixed=0.5, strength=(1.5, 1.5))
    style = torch.eye(3).repeat(200, 1)
    style[::2] = 0
    asked = teacher.restyled(style, torch.Generator().manual_seed(0))
    assert not asked[::2].any()
    torch.testing.assert_close(asked[1::2].sum(dim=1), torch.full((300,), 1.5))
    assert 0.2 < ((asked[1::2] > 0).sum(dim=1) == 2).float().mean() < 0.5


@pytest.mark.parametrize(("t", "end"), [(999, 749), (499, 249), (249, CLEAN)])
def test_a_line_is_a_step_of_ddim(t, end):
    x_t, x0 = torch.randn(2, 3, 8, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    a, b = line(t, end, SCHEDULE)
    torch.testing.assert_close(a * x0 + b * x_t, ddim_step(x_t, x0, t, end, SCHEDULE))


@pytest.mark.parametrize("steps", [2, 6])
def test_what_the_student_learns_leads_along_the_teachers_path(paths, steps):
    """With the estimates that it is trained on, both a student of two steps and one of six reach the dance."""
    phase = task_of(paths).phases["denoiser"]
    path = paths[POINTS].double()
    reached = {0: path[:, 0]}

    def taught(x_t, t, condition):
        begin = phase.steps.tolist().index(int(t[0]))
        end, (a, b) = int(phase.ends[begin]), phase.lines[begin].double().tolist()
        reached[begin] = x_t
        return (path[:, end] - b * x_t) / a

    *_, dance = sample(taught, path[:, 0], SCHEDULE, steps)
    torch.testing.assert_close(dance, path[:, -1], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(reached[3], path[:, 3], rtol=1e-4, atol=1e-4)


def test_a_student_that_is_the_teacher_has_nothing_to_learn():
    """As many steps as the teacher, no guidance, and the same weights."""
    teacher = teacher_of(guidance=(1.0, 1.0))
    paths = teacher.paths(8, torch.Generator().manual_seed(1))
    config = DistillTaskConfig(steps=STEPS, paths=PATHS, positions=0.0, velocity=0.0, feet=0.0)
    task = DistillTask(distilled(CONFIG, STEPS, "concatenated"), config, VAE, {"train": paths, "val": paths})
    before = task.validate(task.phases)
    task.phases["denoiser"].networks["denoiser"].load_state_dict(teacher.network.state_dict(), strict=False)
    after = task.validate(task.phases)
    assert before["latents"] > 0.1 and before["error"] > 0.1
    assert after["latents"] < 1e-4 and after["error"] < 1e-5
    assert after["movement"] == pytest.approx(1, abs=1e-3)


def test_points_begin_segments_as_often_as_asked():
    phase = task_of({}, starts=0.5).phases["denoiser"]
    points = phase.points(6000, torch.Generator().manual_seed(0))
    share = torch.bincount(points, minlength=STEPS) / len(points)
    begins, inside = 1 / STEPS + 0.5 * (1 / 2 - 1 / STEPS), 0.5 / STEPS
    expected = torch.tensor([begins, inside, inside] * 2)
    torch.testing.assert_close(share, expected, atol=0.02, rtol=0)


def test_only_dances_have_bodies(paths):
    task = task_of(paths, starts=1.0)
    phase, generator = task.phases["denoiser"], torch.Generator().manual_seed(0)
    batch = task.batch(8, generator)
    losses = phase(batch, generator, 0)
    assert {"latents", "change", "positions", "velocity", "feet"} == set(losses)
    assert phase.bodies(batch[POINTS][:0, 0], batch[POINTS][:0, 0]) == {}


def test_steps_that_do_not_divide_the_teachers_are_refused():
    with pytest.raises(FootlightError, match="a multiple"):
        DistillTaskConfig(steps=4, paths=PATHS)
    with pytest.raises(FootlightError, match="too short"):
        PathsConfig(frames=96, shortest=48)
