"""A model that keeps the teacher from which its dancer was distilled."""

import pytest
import torch

from core import checkpoint
from core.config import taught, with_teachers
from core.diffusion.networks import denoiser_of
from core.errors import FootlightError
from core.formats.motion import MotionClip
from core.motion import kinematics
from core.pipeline import DanceOptions, Edit, Model, edit_dance, generate_dance, hear_song, score_motion
from core.protocol import ScoreOptions
from train.variants import distilled


def student_of(model_folder, folder):
    """A folder with a student that was not trained, and its teacher."""
    teacher = checkpoint.load(model_folder)
    config = with_teachers(distilled(teacher.config, "motion", 2), teacher.config)
    tensors = dict(teacher.tensors)
    tensors["teacher.motion"] = tensors["denoiser.motion"]
    torch.manual_seed(3)
    tensors["denoiser.motion"] = denoiser_of(config.denoisers["motion"]).state_dict()
    checkpoint.save_folder(folder, config, tensors)
    return folder


def test_fine_is_what_the_teacher_makes(model_folder, make_song, swaying, tmp_path):
    teacher, model = (Model.load(folder, "cpu") for folder in (model_folder, student_of(model_folder, tmp_path)))
    song, base = make_song(6.0), swaying(180, 30.0)

    def made(by, quality):
        options = DanceOptions(seed=4, quality=quality)
        edited = edit_dance(by, hear_song(by, song), Edit(base, 60, 120), options)
        return [generate_dance(by, song, options).motion.rotations, edited.motion.rotations]

    for wanted, fine, quick in zip(made(teacher, "fine"), made(model, "fine"), made(model, "normal"), strict=True):
        assert torch.equal(wanted, fine) and not torch.equal(wanted, quick)
    assert all(torch.equal(*pair) for pair in zip(made(teacher, "normal"), made(teacher, "fine"), strict=True))


def test_what_was_not_distilled_is_the_same_at_every_quality(model_folder, swaying, tmp_path):
    motion = swaying(120, 30.0)
    clip = MotionClip(kinematics.forward(motion.rotations, motion.root), motion.fps, motion)
    model = Model.load(student_of(model_folder, tmp_path), "cpu")
    quick, fine = (score_motion(model, clip, ScoreOptions(quality=name)).mel for name in ("normal", "fine"))
    assert torch.equal(quick, fine)
    assert taught(model.config).denoisers["music"] == model.config.denoisers["music"]


def test_the_teacher_is_read_when_it_is_asked_for(model_folder, tmp_path):
    folder = student_of(model_folder, tmp_path)
    (folder / "teacher.motion.safetensors").write_bytes(b"")
    model = Model.load(folder, "cpu")
    assert model.at("normal") is model
    with pytest.raises(FootlightError, match=r"teacher\.motion\.safetensors is damaged"):
        model.at("fine").denoisers["motion"]


def test_a_fine_dance_reads_neither_the_student_nor_what_makes_music(model_folder, tmp_path):
    folder = student_of(model_folder, tmp_path)
    for name in ("denoiser.motion", "denoiser.music"):
        (folder / f"{name}.safetensors").write_bytes(b"")
    fine = Model.load(folder, "cpu").at("fine").denoisers
    assert fine["motion"] is fine["motion"] and "music" in fine
