"""The add-on inside Blender: the same checks in the bpy module and in the real program, from the installed zip."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from core.audio import io as audio
from core.formats import bvh
from core.metrics import footwork
from core.motion import kinematics
from core.motion.skeleton import SMPL22
from core.types import Motion, Waveform
from tests.blender_addon.obedient import obedient, save_dance, wild_motion
from tests.core.audio.songs import encode, mp3, song, without_header
from tests.core.motion import disguise
from tests.core.motion.rigs import RIGS, dance, steps
from tests.core.rig import characters

INSIDE = Path(__file__).parent / "inside"

BUILDS = (
    characters.Build(),
    characters.Build(thigh=1.05, shin=0.97, arm=1.1, wide=1.2, hang=45.0, straddle=4.0),
    characters.Build(thigh=0.9, shin=1.0, arm=0.9, wide=1.1, hang=80.0, straddle=2.0),
    characters.Build(hang=35.0, straddle=8.0, bent=15.0),
    characters.Build(thigh=0.55, shin=0.5, arm=0.6, wide=0.9, hang=10.0),
)
"""Of the characters: as ours, in an A-pose, with hanging arms, with bent limbs, a child."""

pytestmark = pytest.mark.blender


@pytest.mark.checks("check_props.py")
def test_the_panel_and_the_requests_agree(run_checks):
    run_checks()


@pytest.mark.checks("check_panel.py")
def test_what_the_panel_shows(run_checks, tmp_path):
    save_dance(tmp_path)
    figures, standing = {}, dance(6.0, 30.0)
    wild = [Motion(*wild_motion(frames), fps) for frames, fps in ((240, 30.0), (500, 60.0))]
    slow = torch.cat((wild[0].rotations[:120], wild[0].rotations[119:120].expand(90, -1, -1)))
    stopping = Motion(slow, torch.cat((wild[0].root[:120], wild[0].root[119:120].expand(90, -1))), 30.0)
    for i, motion in enumerate((standing, *wild, stopping)):
        figures[f"moving {i}"] = {key: footwork.evaluate(motion)[key] for key in ("steps", "still")}
        arrays = {"rotations": motion.rotations, "root": motion.root, "fps": motion.fps}
        np.savez(tmp_path / f"moving {i}.npz", **arrays)
    (tmp_path / "footwork.json").write_text(json.dumps(figures))
    run_checks(FOOTLIGHT_PYTHON=obedient(tmp_path))


@pytest.mark.checks("check_grid.py")
def test_the_beats_of_a_song_are_put_right_and_kept(run_checks, tmp_path):
    save_dance(tmp_path)
    run_checks(FOOTLIGHT_PYTHON=obedient(tmp_path))


@pytest.mark.checks("check_takes.py")
def test_takes_to_choose_from(run_checks, tmp_path):
    save_dance(tmp_path)
    run_checks(FOOTLIGHT_PYTHON=obedient(tmp_path))


@pytest.mark.checks("check_strips.py")
def test_songs_in_the_sequencer(run_checks):
    run_checks()


@pytest.mark.checks("check_song.py")
def test_which_sound_is_the_song(run_checks):
    run_checks()


@pytest.mark.checks("check_play.py")
def test_what_is_played_after_a_result(run_checks):
    run_checks()


@pytest.mark.checks("check_stage.py")
def test_the_stage_shows_every_dance_and_dancers_find_room(run_checks, tmp_path):
    gentle_dance(tmp_path)
    run_checks()


@pytest.mark.checks("check_lights.py")
def test_a_lit_stage_shines_as_its_show_says(run_checks, tmp_path):
    gentle_dance(tmp_path)
    run_checks()


@pytest.mark.checks("check_menus.py")
def test_footlight_is_found_in_menus_and_by_f1(run_checks):
    run_checks()


@pytest.mark.checks("check_sound_files.py")
def test_sound_files_as_people_have_them(run_checks, tmp_path):
    bare, flac = without_header(mp3(song(10.0))), bytearray(encode(song(4.0), form="FLAC"))
    flac[21:26] = bytes([flac[21] & 0xF0, 0, 0, 0, 0])  # the number of samples
    (tmp_path / "bare.mp3").write_bytes(bare)
    (tmp_path / "joined.mp3").write_bytes(bare + bare)
    (tmp_path / "pipe.flac").write_bytes(flac)
    (tmp_path / "joined.ogg").write_bytes(2 * encode(song(4.0), form="OGG"))
    if shutil.which("ffmpeg"):
        (tmp_path / "source.wav").write_bytes(encode(song(4.0), form="WAV"))
        command = ["ffmpeg", "-v", "error", "-nostdin", "-i", tmp_path / "source.wav", tmp_path / "song.m4a"]
        subprocess.run(command, check=True)
    run_checks()


@pytest.mark.checks("check_actions.py")
def test_dances_become_actions(run_checks, tmp_path):
    rotations, root = wild_motion(60)
    positions = kinematics.forward(rotations, root, SMPL22)
    np.savez(tmp_path / "expected.npz", positions=positions.numpy())

    def save(name, rotations=rotations, joints=SMPL22.names):
        np.savez(tmp_path / f"{name}.npz", rotations=rotations, root=root, joints=joints, fps=30.0, seed="7")

    save("dance")
    save("nan", torch.where(torch.arange(60)[:, None, None] == 30, torch.nan, rotations))
    save("other", joints=["hips"])
    run_checks()


@pytest.mark.checks("check_rigs.py")
def test_armatures_of_every_kind(run_checks, tmp_path):
    save_dance(tmp_path)
    np.savez(tmp_path / "expected.npz", positions=kinematics.forward(*wild_motion(60)).numpy())
    plain = {joint: name.removeprefix("mixamorig:") for joint, name in RIGS["mixamo"].items()}
    families = {name: names for name, names in RIGS.items() if name != "nameless"} | {"mixamo, plain": plain}
    (tmp_path / "rigs.json").write_text(json.dumps(families))
    run_checks()


@pytest.mark.checks("check_bones.py")
def test_which_bone_is_which(run_checks, tmp_path):
    gentle_dance(tmp_path)
    run_checks()


@pytest.mark.checks("check_characters.py")
def test_characters_of_every_family(run_checks, tmp_path):
    every_family(tmp_path)
    run_checks()


@pytest.mark.checks("check_kinds.py")
def test_characters_that_are_built_otherwise(run_checks, tmp_path):
    every_family(tmp_path)
    save_dance(tmp_path)
    np.savez(tmp_path / "expected.npz", positions=kinematics.forward(*wild_motion(60)).numpy())
    run_checks()


def every_family(folder):
    """A character of every family, and a dance with steps and a jump."""
    stepping_dance(folder)
    families = {}
    for number, (family, tree) in enumerate(characters.trees().items()):
        one = characters.character(tree, BUILDS[number % len(BUILDS)])
        families[family] = {"names": one.names, "parents": one.parents, "joints": one.joints}
        families[family] |= {"heads": one.heads.tolist(), "tails": one.tails.tolist()}
    (folder / "characters.json").write_text(json.dumps(families))


@pytest.mark.checks("check_keys.py")
def test_which_frames_are_keyed(run_checks, tmp_path):
    stepping_dance(tmp_path)
    run_checks()


@pytest.mark.checks("check_export.py")
def test_a_dance_goes_through_blenders_exporters(run_checks, tmp_path):
    stepping_dance(tmp_path)
    run_checks()


def stepping_dance(folder):
    """A dance with steps and a jump, and what is known of its feet."""
    motion, stands = steps(4.0, 20.0)
    arrays = {"rotations": motion.rotations, "root": motion.root, "joints": SMPL22.names, "fps": motion.fps}
    np.savez(folder / "steps.npz", **arrays, contacts=stands.repeat_interleave(2, 1).float(), seed="7")


def gentle_dance(folder):
    """A dance that a person could dance, the places of its joints, and the same as a BVH file."""
    motion = dance(3.0, 20.0)
    root = motion.root + torch.linspace(0, 1, len(motion.root))[:, None] * torch.tensor((0.5, 0.0, -0.3))
    np.savez(folder / "dance.npz", rotations=motion.rotations, root=root, joints=SMPL22.names, fps=20.0, seed="7")
    np.savez(folder / "expected.npz", positions=kinematics.forward(motion.rotations, root, SMPL22).numpy())
    bvh.write(folder / "own.bvh", Motion(motion.rotations, root, 20.0), fps=20.0)
    body, moving = bvh.read(folder / "own.bvh")
    for name, turns in (
        ("x", disguise.along(body)),
        ("y", disguise.along(body, (0.0, 1.0, 0.0))),
        ("random", disguise.any_which_way(body)),
    ):
        (folder / f"folded {name}.bvh").write_text(disguise.text(*disguise.rezeroed(body, moving, turns)))
    for seed in range(8):
        told = disguise.rezeroed(disguise.nameless(body), moving, disguise.any_which_way(body, seed))
        (folder / f"folded nameless {seed}.bvh").write_text(disguise.text(*told))
    body, moving = disguise.interrupted(body, moving, ("left_hip", "right_hip", "spine2", "head", "left_shoulder"))
    turns = disguise.any_which_way(body)
    (folder / "folded between.bvh").write_text(disguise.text(*disguise.rezeroed(body, moving, turns)))


@pytest.mark.checks("check_controls.py")
def test_control_rigs(run_checks, tmp_path):
    gentle_dance(tmp_path)
    run_checks()


@pytest.mark.checks("check_under.py")
def test_what_lies_under_a_dance(run_checks, tmp_path):
    gentle_dance(tmp_path)
    run_checks()


@pytest.mark.checks("check_seen.py")
def test_dances_that_would_not_be_seen(run_checks, tmp_path):
    gentle_dance(tmp_path)
    run_checks()


@pytest.mark.checks("check_places.py")
def test_a_dance_stands_where_the_rest_pose_stands(run_checks, tmp_path):
    gentle_dance(tmp_path)
    run_checks()


@pytest.mark.checks("check_floors.py")
def test_dances_on_a_floor_that_was_picked(run_checks, tmp_path):
    gentle_dance(tmp_path)
    stepping_dance(tmp_path)
    run_checks()


@pytest.mark.checks("check_linked.py")
def test_characters_from_another_file(run_checks, tmp_path):
    gentle_dance(tmp_path)
    run_checks()


@pytest.mark.checks("check_reading.py")
def test_animated_rigs_are_read(run_checks, tmp_path):
    save_dance(tmp_path)
    run_checks()


@pytest.mark.checks("check_api.py")
def test_scripts_need_neither_operators_nor_a_session(run_checks, tmp_path):
    save_dance(tmp_path)
    run_checks(FOOTLIGHT_PYTHON=obedient(tmp_path))


@pytest.mark.checks("check_score.py")
def test_from_the_click_to_the_music_with_mishaps(run_checks, tmp_path):
    save_dance(tmp_path)
    run_checks(FOOTLIGHT_PYTHON=obedient(tmp_path))


@pytest.mark.checks("check_preview.py")
def test_the_first_seconds_of_a_dance_are_on_the_dancer_before_the_rest(run_checks, tmp_path):
    save_dance(tmp_path)
    run_checks(FOOTLIGHT_PYTHON=obedient(tmp_path))


@pytest.mark.checks("check_lifecycle.py")
def test_from_the_click_to_the_keyframes_with_mishaps(run_checks, tmp_path):
    save_dance(tmp_path)
    run_checks(FOOTLIGHT_PYTHON=obedient(tmp_path))


@pytest.mark.parametrize("how", ["quit", "kill"])
def test_the_engine_ends_with_blender(how, program, environment, tmp_path):
    save_dance(tmp_path)
    command = [program, "-b", "--python-exit-code", "1", "--python", INSIDE / "leave.py"]
    environment["FOOTLIGHT_PYTHON"] = obedient(tmp_path)
    answer = subprocess.run([*command, "--", how, tmp_path / "pid"], env=environment, capture_output=True, text=True)
    assert (tmp_path / "pid").exists(), answer.stdout + answer.stderr
    pid = int((tmp_path / "pid").read_text())
    end = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < end, "the engine outlived Blender"
        time.sleep(0.05)


@pytest.mark.checks("check_generate.py")
def test_the_real_engine_fills_the_timeline(run_checks, model_folder):
    run_checks(FOOTLIGHT_PYTHON=sys.executable, FOOTLIGHT_MODEL=str(model_folder))


@pytest.mark.checks("check_light.py")
def test_the_stage_is_lit_from_the_panel(run_checks, model_folder):
    run_checks(FOOTLIGHT_PYTHON=sys.executable, FOOTLIGHT_MODEL=str(model_folder))


@pytest.mark.checks("check_theatre.py")
def test_a_dance_and_its_light_from_the_panel(run_checks, theatre_folder, model_folder):
    models = {"FOOTLIGHT_MODEL": str(theatre_folder), "FOOTLIGHT_PLAIN_MODEL": str(model_folder)}
    run_checks(FOOTLIGHT_PYTHON=sys.executable, **models)


@pytest.mark.checks("check_changes.py")
def test_changes_to_the_stage_stay_with_their_take(run_checks, theatre_folder):
    run_checks(FOOTLIGHT_PYTHON=sys.executable, FOOTLIGHT_MODEL=str(theatre_folder))


@pytest.mark.checks("check_edit.py")
def test_parts_of_a_dance_are_made_anew(run_checks, model_folder):
    run_checks(FOOTLIGHT_PYTHON=sys.executable, FOOTLIGHT_MODEL=str(model_folder))


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("FOOTLIGHT_INSTALL"), reason="downloads 250 MB: set FOOTLIGHT_INSTALL=1")
@pytest.mark.checks("check_install.py")
def test_the_engine_is_installed_from_inside_and_dances(run_checks, environment, model_folder):
    """By the network and the pip settings (PIP_CERT, PIP_FIND_LINKS, PIP_CONSTRAINT ...) of whoever runs the test."""
    environment.pop("FOOTLIGHT_PYTHON", None)
    run_checks(seconds=1800, FOOTLIGHT_MODEL=str(model_folder))


@pytest.mark.slow
@pytest.mark.skipif(
    not os.environ.get("FOOTLIGHT_OFFLINE_ZIP"),
    reason="needs make extension OFFLINE=...: FOOTLIGHT_OFFLINE_ZIP=ITS.zip",
)
def test_the_engine_that_the_zip_carries_is_installed_without_a_network(program, environment, tmp_path):
    """The real program in a network namespace that has no network: from the zip to a dance."""
    environment.pop("FOOTLIGHT_PYTHON", None)
    environment["FOOTLIGHT_TEST_ZIP"] = os.environ["FOOTLIGHT_OFFLINE_ZIP"]
    alone, report = ["unshare", "--net"], tmp_path / "report.jsonl"
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("no network namespace can be made here")
    command = [*alone, program, "-b", "--factory-startup", "--python-exit-code", "1", "--python", INSIDE / "host.py"]
    command += ["--", INSIDE / "check_install.py", report]
    answer = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert report.exists(), answer.stdout + answer.stderr
    found = json.loads(report.read_text())
    assert found["outcome"] == "passed" and answer.returncode == 0, found["text"]


@pytest.mark.checks("check_readiness.py")
def test_what_is_known_of_the_engine(run_checks, environment):
    environment.pop("FOOTLIGHT_PYTHON", None)
    run_checks()


@pytest.mark.parametrize("button", ["generate_dance", "generate_theatre"])
def test_a_click_in_a_window(button, window, environment, theatre_folder, tmp_path):
    """A real click: the modal run, work and an undo meanwhile, and the result as one step of its own."""
    song, report = tmp_path / "drums.wav", tmp_path / "report.json"
    t = torch.arange(20 * 22_050) / 22_050
    beats = torch.exp(-40 * (t % 0.5)) * torch.sin(2 * torch.pi * 180 * (t % 0.5))
    audio.write(song, Waveform(0.7 * beats, 22_050))
    environment |= {"FOOTLIGHT_PYTHON": sys.executable, "FOOTLIGHT_MODEL": str(theatre_folder)}
    command = [*window, "--python", INSIDE / "window.py", "--", song, report, button, "quit"]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert report.exists(), answer.stdout + answer.stderr
    found = json.loads(report.read_text())
    assert "failed" not in found and not found["error"], found
    assert found["clicked"] == ["RUNNING_MODAL"] and found["second_click"] is False and found["taken_back"]
    assert len(found["progress"]) > 1 and found["progress"][-1][1] > found["progress"][0][1]
    assert found["frames"][0] == 1 and abs(found["frames"][1] - 600) <= 1
    bare = {"dancer": "Dancer", "action": None, "dances": [], "stages": [], "lamps": 0, "camera": False}
    assert found["after_undo"] == bare
    dance = bare | {"action": "drums - seed 4", "dances": ["drums - seed 4"]}
    lit = {"stages": ["Stage"], "lamps": 21, "camera": True} if button == "generate_theatre" else {}
    assert found["after_redo"] == dance | lit


def test_steps_back_while_the_first_seconds_are_watched_in_a_window(window, environment, tmp_path):
    """One undo takes a dance back as without them, and one meanwhile takes them off and not the dance."""
    save_dance(tmp_path)
    song, report = tmp_path / "early.wav", tmp_path / "report.json"
    audio.write(song, Waveform(0.1 * torch.sin(torch.arange(3 * 22_050) / 20.0), 22_050))
    environment |= {"FOOTLIGHT_PYTHON": obedient(tmp_path)}
    command = [*window, "--python", INSIDE / "window_preview.py", "--", song, report]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert report.exists(), answer.stdout + answer.stderr
    found = json.loads(report.read_text())
    assert "failed" not in found, found["failed"]
    at_first = {"action": None, "frames": None, "slot": False, "actions": 0, "camera": False, "moved": False}
    half = {"frames": [1, 30], "slot": True, "actions": 1, "camera": False, "moved": True}
    whole = {**half, "frames": [1, 60]}
    names = {name: state.pop("action") for name, state in found.items() if isinstance(state, dict)}
    del at_first["action"]
    assert found["at first"] == at_first and found["begun"] == half
    assert found["made"] == found["redone"] == found["made then"] == whole
    assert found["undone"] == found["undone then"] == at_first
    assert found["undone meanwhile"] == found["redone meanwhile"] == at_first
    assert found["made beside work"] == found["redone with work"] == {**whole, "camera": True}, names
    assert found["undone beside work"] == {**at_first, "camera": True}
    assert found["undone with work"] == at_first


def test_clicks_for_music_in_a_window(window, environment, tmp_path):
    """Music and a duet from real clicks, each one step to take back: of a duet the dance and the strip."""
    save_dance(tmp_path)
    (tmp_path / "how").write_text("well")
    report = tmp_path / "report.json"
    environment |= {"FOOTLIGHT_PYTHON": obedient(tmp_path), "TMPDIR": str(tmp_path)}
    command = [*window, "--python", INSIDE / "window_music.py", "--", report, "quit"]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert report.exists(), answer.stdout + answer.stderr
    found = json.loads(report.read_text())
    assert "failed" not in found, found["failed"]
    for operator, strips, action in (
        ("score_motion", 1, "Dance"),
        ("generate_duet", 2, "Dance and Music - 50 % Salsa, 50 % Pop - seed 0"),
    ):
        assert found[f"{operator} clicked"] == ["RUNNING_MODAL"] and not found[f"{operator} error"]
        before, after = found[f"{operator} before"], found[f"{operator} after"]
        assert len(after["strips"]) == strips and after["action"] == action
        assert (after["frame"], after["scenes"]) == (before["frame"], before["scenes"])
        assert found[f"{operator} after undo"] == before and found[f"{operator} after redo"] == after


def test_a_song_is_dropped_and_played_in_a_window(window, environment, tmp_path):
    """What *Play* sets is one step to take back, and it stops what it started."""
    song, report = tmp_path / "drums.wav", tmp_path / "report.json"
    audio.write(song, Waveform(0.1 * torch.sin(torch.arange(8 * 22_050) / 20.0), 22_050))
    command = [*window, "--enable-event-simulate", "--python", INSIDE / "window_song.py", "--", song, report]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert report.exists(), answer.stdout + answer.stderr
    found = json.loads(report.read_text())
    assert "failed" not in found, found["failed"]
    assert found["song"] == "drums" and found["sequencer"]
    assert found["before"]["preview"] is None and not any(found["before"]["muted"].values())
    assert found["plays"] and not found["plays on"]
    after = found["after"]
    assert after["preview"] == [5, 120] and after["sync"] == "AUDIO_SYNC" and after["scrubbing"]
    assert after["muted"] == {"drums": False, "other": True} and 5 <= after["frame"] <= 120
    assert found["undone"] == found["before"]
    assert found["closed"] and found["tab"] == "Footlight"


def test_the_status_bar_tells_and_cancels_while_the_panel_is_closed(window, environment, tmp_path):
    save_dance(tmp_path)
    song, report = tmp_path / "wait.wav", tmp_path / "report.json"
    audio.write(song, Waveform(torch.rand(3 * 22_050) - 0.5, 22_050))
    environment |= {"FOOTLIGHT_PYTHON": obedient(tmp_path)}
    command = [*window, "--enable-event-simulate", "--python", INSIDE / "window_status.py", "--", song, report]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert report.exists(), answer.stdout + answer.stderr
    found = json.loads(report.read_text())
    assert "failed" not in found, found["failed"]
    assert found["clicked"] == ["RUNNING_MODAL"] and len(found["drawn"]) >= 3
    assert any("%" in text and fraction > 0 for text, fraction in found["drawn"])
    assert found["message"] == "Cancelled." and found["again"]
    # Said once: in the panel, which is drawn again for it. With a popup besides this call would have been an exception.
    assert found["open"] and found["failed click"] == ["CANCELLED"] and found["error drawn"]
    for how in ("undo", "redo"):
        assert found[how] == ["FINISHED"] and found[f"before {how}"] and not found[f"after {how}"], how
