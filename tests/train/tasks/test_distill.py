"""Distillation: the teacher's paths against its sampler, and the student's targets against the sampler's own steps."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from core.autoencoder.networks import autoencoder_of
from core.config import preset, with_styles
from core.diffusion.guidance import guided
from core.diffusion.networks import denoiser_of
from core.diffusion.parameterize import as_denoise
from core.diffusion.sampler import ddim_step, sample
from core.diffusion.schedule import CLEAN, linear_sqrt
from core.errors import FootlightError
from core.motion import rotation
from core.motion.features import encode
from core.motion.layouts import layout_named
from core.types import Beats, Motion
from train.tasks.decoded import decoded_losses
from train.tasks.denoiser import DenoiserTask
from train.tasks.diffusion import condition_of
from train.tasks.distill import DistillPhase, DistillTask, DistillTaskConfig
from train.tasks.paths import (
    COUNTS,
    EXPERTS,
    GUIDANCE,
    POINTS,
    PathsConfig,
    Teacher,
    grouped,
    kept,
    on_beats,
    restyled,
    some_of,
)
from train.tasks.segments import Lesson, Segments, line
from train.variants import distilled

FRAMES, STEPS, LENGTH = 16, 6, 40
PATHS = PathsConfig(frames=FRAMES, shortest=FRAMES, steps=STEPS, count=20)
CONFIG = with_styles(preset("tiny"), ("a", "b", "c"))
VAES = {name: autoencoder_of(modality).eval() for name, modality in CONFIG.modalities.items()}
DECODED = {"motion": {"positions", "velocity", "feet"}, "music": {"mel", "attack"}}
SCHEDULE = linear_sqrt()


def clips_of(modality: str) -> list[dict]:
    """Noise for capture and music, one clip in each style."""
    generator = torch.Generator().manual_seed(0)

    def noise(channels: int, frames: int = LENGTH) -> torch.Tensor:
        return torch.randn(frames, channels, generator=generator)

    motion, music = (CONFIG.modalities[name].autoencoder for name in ("motion", "music"))
    latents = {"motion": noise(motion.latent_channels), "music": noise(music.latent_channels)}
    other = "music" if modality == "motion" else "motion"
    clip = {"latents": latents[modality], f"context.{other}": latents[other]}
    if modality == "motion":
        clip["rhythm"] = noise(CONFIG.denoisers["motion"].rhythm_channels)
        clip["features"] = noise(motion.channels, LENGTH * motion.stride)
    else:
        times = torch.arange(0, LENGTH / CONFIG.latent_fps, 0.5, dtype=torch.float64)
        downbeats = torch.arange(len(times)) % 4 == 0
        clip["beats"], clip["onsets"] = Beats(times, 120.0, downbeats), Beats(times, strength=torch.ones(len(times)))
        clip["loudness"] = torch.rand(LENGTH * music.stride, generator=generator)
    return [{**clip, "style": style} for style in range(3)]


def teacher_of(modality: str = "motion", **settings) -> Teacher:
    """A teacher with random weights everywhere."""
    config, generator = replace(PATHS, **settings), torch.Generator().manual_seed(0)
    clips = clips_of(modality)
    task = EXPERTS[modality](CONFIG, config, VAES[modality], {"train": clips, "val": clips})
    torch.manual_seed(0)
    network = denoiser_of(CONFIG.denoisers[modality])
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return Teacher(task, network, config)


def task_of(paths: dict, modality: str = "motion", steps: int = 2, **settings) -> DistillTask:
    config = DistillTaskConfig(steps=steps, paths=PATHS, **settings)
    model = distilled(CONFIG, modality, steps)
    return DistillTask(model, modality, config, VAES[modality], {"train": [paths], "val": [paths]})


@pytest.fixture(scope="module", params=["motion", "music"])
def modality(request):
    return request.param


@pytest.fixture(scope="module")
def paths(modality):
    return teacher_of(modality).paths(12, torch.Generator().manual_seed(1))


def test_a_path_is_what_the_guided_teacher_samples(modality, paths):
    teacher = teacher_of(modality)
    for i in (0, 7):
        one = {name: values[i : i + 1] for name, values in paths.items()}
        denoise = guided(teacher.denoise, float(one[GUIDANCE]))
        condition = replace(condition_of(one), guidance=None)
        *_, made = sample(denoise, one[POINTS][:, 0], SCHEDULE, STEPS, condition=condition)
        torch.testing.assert_close(one[POINTS][:, -1], made, rtol=1e-3, atol=1e-3)


def test_paths_are_drawn_once_for_the_same_teacher(tmp_path):
    teacher = teacher_of()
    (first,) = kept(teacher, tmp_path, 20)
    assert len(first[POINTS]) == 32 and len(list(tmp_path.glob("*/*"))) == 2
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*")}
    (again,) = kept(teacher, tmp_path, 20)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*")} == times
    assert all(torch.equal(first[name], again[name]) for name in first)
    (more,) = kept(teacher_of(count=40), tmp_path, 40)
    assert len(more[POINTS]) == 48 and torch.equal(more[POINTS][:32], first[POINTS])
    with torch.no_grad():
        next(teacher.network.parameters()).add_(1.0)
    (other,) = kept(teacher, tmp_path, 20)
    assert not torch.equal(other[POINTS], first[POINTS])


def test_paths_with_rhythm_alone_are_batches_of_their_own():
    teacher = teacher_of("music", drop_other=0.5)
    drawn = [teacher.paths(4, torch.Generator().manual_seed(seed)) for seed in range(8)]
    kinds = grouped(drawn)
    assert sorted("context.motion" in paths for paths in kinds) == [False, True]
    assert sum(len(paths[POINTS]) for paths in kinds) == 32
    task = task_of(drawn[0], "music")
    task.paths["train"] = kinds
    generator = torch.Generator().manual_seed(0)
    heard = [len(paths[POINTS]) for paths in kinds if "context.motion" in paths]
    share = sum("context.motion" in task.batch(1, generator) for _ in range(400)) / 400
    assert share == pytest.approx(heard[0] / 32, abs=0.08)


def test_whoever_moves_dances_onto_beats_is_told_what_is_given_of_them(monkeypatch):
    asked = []
    monkeypatch.setattr("train.tasks.paths.retimed", lambda latents, *told: asked.append(told) or latents + 1)
    task, dances, mask = teacher_of().task, torch.zeros(2, FRAMES, 3), torch.zeros(2, FRAMES, 1)
    mask[0, 3] = 1
    assert isinstance(task, DenoiserTask)
    moved = on_beats(dances, {"rhythm": torch.zeros(2, FRAMES, 1), "observed_mask": mask}, task, 0.5)
    ((_, accents, _, _, strength, given),) = asked
    assert moved.min() == 1 and accents == ["arrive", "arrive"] and strength == 0.5 and given is mask


def test_styles_are_asked_for_as_users_do():
    config = replace(PATHS, mixed=0.5, strength=(1.5, 1.5))
    style = torch.eye(3).repeat(200, 1)
    style[::2] = 0
    asked = restyled(style, config, torch.Generator().manual_seed(0))
    assert not asked[::2].any()
    torch.testing.assert_close(asked[1::2].sum(dim=1), torch.full((300,), 1.5))
    assert 0.2 < ((asked[1::2] > 0).sum(dim=1) == 2).float().mean() < 0.5


@pytest.mark.parametrize(("t", "end"), [(999, 749), (499, 249), (249, CLEAN)])
def test_a_line_is_a_step_of_ddim(t, end):
    x_t, x0 = torch.randn(2, 3, 8, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    a, b = line(t, end, SCHEDULE)
    torch.testing.assert_close(a * x0 + b * x_t, ddim_step(x_t, x0, t, end, SCHEDULE))


@pytest.mark.parametrize("steps", [2, 6])
def test_what_the_student_learns_leads_along_the_teachers_path(modality, paths, steps):
    """With the estimates that it is trained on, both a student of two steps and one of six arrive with the teacher."""
    phase = task_of(paths, modality).phases["denoiser"]
    path = paths[POINTS].double()
    reached = {0: path[:, 0]}

    def taught(x_t, t, condition):
        begin = phase.segments.steps.tolist().index(int(t[0]))
        end, (a, b) = int(phase.segments.ends[begin]), phase.segments.lines[begin].double().tolist()
        reached[begin] = x_t
        return (path[:, end] - b * x_t) / a

    *_, made = sample(taught, path[:, 0], SCHEDULE, steps)
    torch.testing.assert_close(made, path[:, -1], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(reached[3], path[:, 3], rtol=1e-4, atol=1e-4)


def test_a_student_that_is_the_teacher_has_nothing_to_learn(modality):
    """As many steps as the teacher, no guidance, and the same weights."""
    teacher = teacher_of(modality, guidance=(1.0, 1.0))
    paths = teacher.paths(8, torch.Generator().manual_seed(1))
    config = DistillTaskConfig(steps=STEPS, paths=PATHS)
    model = distilled(CONFIG, modality, STEPS, "concatenated")
    task = DistillTask(model, modality, config, VAES[modality], {"train": [paths], "val": [paths]})
    before = task.validate(task.phases)
    task.phases["denoiser"].networks["denoiser"].load_state_dict(teacher.network.state_dict(), strict=False)
    after = task.validate(task.phases)
    assert before["latents"] > 0.1 and before["error"] > 0.1
    assert after["latents"] < 1e-4 and after["error"] < 1e-5
    assert after["movement"] == pytest.approx(1, abs=1e-3)


def test_points_begin_segments_as_often_as_asked():
    points = Segments(SCHEDULE, STEPS, 2).points(6000, 0.5, torch.Generator().manual_seed(0))
    share = torch.bincount(points, minlength=STEPS) / len(points)
    begins, inside = 1 / STEPS + 0.5 * (1 / 2 - 1 / STEPS), 0.5 / STEPS
    expected = torch.tensor([begins, inside, inside] * 2)
    torch.testing.assert_close(share, expected, atol=0.02, rtol=0)


def test_what_is_clean_is_compared_as_bodies_or_mels(modality, paths):
    task = task_of(paths, modality, starts=1.0)
    phase, generator = task.phases["denoiser"], torch.Generator().manual_seed(0)
    batch = task.batch(8, generator)
    assert {"latents", "change", *DECODED[modality]} == set(phase(batch, generator, 0))
    estimate, target = batch[POINTS][:, 0], batch[POINTS][:, -1]
    further = partial(decoded_losses, phase.borrowed.vae, phase.decoded, phase.config)
    assert further(estimate[:0], target[:0]) == {}
    assert set(further(estimate, target)) == DECODED[modality]
    same = further(target, target)
    assert all(float(loss) == 0 for name, loss in same.items() if name != "feet")  # that of standing feet that slide


def test_pictures_show_what_both_make(modality, paths):
    task = task_of(paths, modality)
    ((name, picture),) = task.pictures(task.phases).items()
    assert name == {"motion": "dance", "music": "music"}[modality]
    assert picture.ndim == 3 and picture.shape[-1] == 3


def test_what_cannot_be_distilled_is_refused():
    with pytest.raises(FootlightError, match="a multiple"):
        DistillTaskConfig(steps=4, paths=PATHS)
    with pytest.raises(FootlightError, match="too short"):
        PathsConfig(frames=96, shortest=48)
    with pytest.raises(FootlightError, match="a student itself"):
        distilled(distilled(CONFIG, "music", 2), "music", 2)
    with pytest.raises(FootlightError, match="makes no light"):
        distilled(CONFIG, "light", 2)


class Motions:
    """An autoencoder whose latents name motions."""

    std = torch.ones(1)

    def __init__(self, motions: torch.Tensor) -> None:
        self.motions = motions

    def unstandardise(self, latents: torch.Tensor) -> torch.Tensor:
        return latents

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        return self.motions[latents[:, 0, 0].long()]


def test_a_student_can_meet_standing_dancers_less_often():
    """Of two paths, one leads to a body that stands and one to a body that walks."""
    body = CONFIG.modalities["motion"]
    layout, frames = layout_named(body.representation), round(4 * body.fps)
    rest = rotation.identity(frames, 22)
    motions = []
    for speed in (0.0, 1.0):
        root = torch.stack([torch.arange(frames) / body.fps * speed, torch.ones(frames), torch.zeros(frames)], dim=1)
        motions.append(encode(Motion(rest, root, body.fps, torch.ones(frames, 4)), layout))
    paths = {POINTS: torch.tensor([0.0, 1.0])[:, None, None, None].expand(-1, 3, 4, 1), GUIDANCE: torch.ones(2)}
    task = task_of(paths, standing=0.25)
    task.vae = Motions(torch.stack(motions))
    counted = task.counted(paths, task.phases["denoiser"].decoded)
    torch.testing.assert_close(counted[COUNTS], torch.tensor([0.25, 1.0]))
    drawn = some_of([counted], 4000, torch.Generator().manual_seed(0))
    assert float(drawn[POINTS][:, -1, 0, 0].mean()) == pytest.approx(0.8, abs=0.02)
    assert COUNTS not in drawn


def test_a_student_is_judged_by_dances_of_its_own():
    """They are what its sampler makes, and only they teach it their means."""
    body = CONFIG.modalities["motion"].autoencoder
    noise = torch.randn(8, FRAMES * body.stride, body.channels, generator=torch.Generator().manual_seed(2))
    capture = [{"features": one + style, "style": style} for one in noise for style in range(2)]  # and none of style 2
    model, config = distilled(CONFIG, "motion", 2), DistillTaskConfig(steps=2, paths=PATHS, moments=0.5, own=4)
    phase = DistillPhase(VAES["motion"], model, "motion", config, capture, clips_of("motion"))
    batch = teacher_of().paths(4, torch.Generator().manual_seed(1))
    phase.train()
    loss = phase(batch, torch.Generator().manual_seed(0), 0)["moments"]
    loss.backward()
    assert float(loss.detach()) > 0
    assert any(bool(parameter.grad.abs().sum() > 0) for parameter in phase.networks.parameters())
    assert float(phase.moments.seen[:2].sum()) == 4 and float(phase.moments.seen[2]) == 0

    asked = phase.requests.batch(3, torch.Generator().manual_seed(3))
    start = torch.randn(asked["observed"].shape, generator=torch.Generator().manual_seed(4))
    made = phase.dances(start, condition_of(asked)).detach()
    assert phase.networks.training
    denoise = as_denoise(phase.networks["denoiser"].eval(), SCHEDULE, model.prediction("motion"))
    *_, sampled = sample(denoise, start, SCHEDULE, 2, condition=condition_of(asked))
    torch.testing.assert_close(made, sampled.detach(), rtol=1e-4, atol=1e-4)
    assert "moments" not in task_of(batch).phases["denoiser"](batch, torch.Generator().manual_seed(0), 0)
    with pytest.raises(FootlightError, match="enough capture"):
        DistillPhase(VAES["motion"], model, "motion", config, capture[:4], clips_of("motion"))


def test_an_error_weighs_as_much_as_it_moves_the_end_of_its_segment():
    """By finite differences of DDIM's own step to the segment's end, for a clean estimate that is off by one. At the
    beginnings of segments it is 1 on average."""
    steps, count = 12, 3
    segments = Segments(SCHEDULE, steps, count)
    levels = [*SCHEDULE.timesteps(steps), CLEAN]
    path = torch.randn(1, steps + 1, 2, 3, generator=torch.Generator().manual_seed(0))
    moved = []
    for point in range(steps):
        end = (point // 4 + 1) * 4
        x_t, x0 = path[:, point].double(), torch.zeros(1, 2, 3).double()
        arrived = [ddim_step(x_t, estimate, levels[point], levels[end], SCHEDULE) for estimate in (x0, x0 + 1)]
        moved.append(float((arrived[1] - arrived[0]).mean()))
    usual = sum(moved[::4]) / count
    lesson = segments.lesson(path.expand(steps, -1, -1, -1), torch.arange(steps))
    assert lesson.weight.flatten().tolist() == pytest.approx([one / usual for one in moved], rel=1e-3)


def test_the_error_of_changes_is_relative_to_how_much_there_are():
    generator = torch.Generator().manual_seed(0)
    target, off = torch.randn(4, 8, 3, generator=generator), 0.3 * torch.randn(4, 8, 3, generator=generator)
    ones, step = torch.ones(4, 1, 1), torch.zeros(4)
    small, large = (
        Lesson(target, step, size * target, ones, step > 0).losses(size * (target + off), 0.2) for size in (1.0, 7.0)
    )
    by_hand = 0.2 * off.diff(dim=1).square().mean() / target.diff(dim=1).square().mean()
    assert float(small["change"]) == pytest.approx(float(by_hand), rel=1e-5)
    assert float(large["change"]) == pytest.approx(float(by_hand), rel=1e-5)
    assert float(large["latents"]) == pytest.approx(49 * float(small["latents"]), rel=1e-4)
