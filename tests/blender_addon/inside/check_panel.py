"""What the panel shows, in every state: drawn from the scene, said once, and gone when it is cured."""

import json

import bpy
from recorder import draw, shown
from scenes import FOLDER, addon, finish, noise, raises

session, notices, names = addon("session"), addon("notices"), addon("names")
main, status, cards = addon("panels.main"), addon("panels.status"), addon("panels.cards")
actions, dancer, markers = addon("scene.actions"), addon("scene.dancer"), addon("scene.markers")
strips, card, environment = addon("scene.strips"), addon("api.card"), addon("environment")
JobState = addon("engine.job").JobState


def stage(how="well"):
    """A dancer and a song; ``how`` is what the engine will do."""
    (FOLDER / "how").write_text(how)
    session.state.error = ""
    notices.dismiss()
    strips.add_song(bpy.context.scene, noise(3.0, how), 1)
    return dancer.add_dancer(bpy.context)


def texts(items=None):
    return [item.text for item in shown() if item.text] if items is None else [item.text for item in items if item.text]


def button(text, items=None):
    found = [item for item in (shown() if items is None else items) if item.kind == "operator" and item.text == text]
    assert len(found) == 1, (text, texts())
    return found[0]


def says(words):
    return any(words.lower() in text.lower() for text in texts())


def fails(operator, words):
    """It is said once: by the operator's report, which without a window is an exception, and in the panel."""
    raises(RuntimeError, words, operator)
    assert sum(item.alert and words.lower() in item.text.lower() for item in shown()) <= 1
    assert notices.current(bpy.context) is not None


def check_an_empty_scene_has_wide_buttons():
    items = shown()
    assert {"Dancer", "Song", "Style", "Mix In", "Seed"} <= set(texts(items))
    assert "none yet" in texts(items) and button("Add Dancer").name == names.ADD_DANCER
    assert button("Choose Song...").name == names.CHOOSE_SONG
    assert "Choose a song first" in texts(items)
    assert not bpy.ops.footlight.generate_dance.poll()
    raises(RuntimeError, "no song", bpy.ops.footlight.generate_dance)


def check_what_was_missing_is_gone_when_it_is_there():
    stage()
    items = shown()
    assert not {"none yet", "Choose a song first", "Add Dancer", "Choose Song..."} & set(texts(items))
    assert bpy.ops.footlight.generate_dance.poll() and bpy.ops.footlight.show_beats.poll()
    assert any(item.name == "seed" for item in items) and button("", [i for i in items if i.name == names.NEW_SEED])
    bpy.data.objects.remove(bpy.data.objects["Dancer"])
    assert says("none yet")
    bpy.context.scene.sequence_editor.strips.remove(bpy.context.scene.sequence_editor.strips[0])
    assert says("Choose a song first")


def check_labels_in_messages_exist():
    """What a message tells to press or to choose is there."""
    first = dancer.add_dancer(bpy.context)
    dancer.add_dancer(bpy.context)
    bpy.context.view_layer.objects.active = None
    strips.add_song(bpy.context.scene, noise(3.0, "well"), 1)
    raises(RuntimeError, "Choose one under Dancer", bpy.ops.footlight.generate_dance)
    assert "Dancer" in texts() and says("There are 2 dancers") and "Choose a dancer first" in texts()
    bpy.context.scene.footlight.dancer = first
    assert not says("There are 2 dancers") and bpy.ops.footlight.generate_dance.poll()


def check_the_sequencer_shows_the_same():
    for prepare in (lambda: None, stage, lambda: bpy.ops.footlight.generate_dance()):
        prepare()
        here, there = shown(), shown("SEQUENCE_EDITOR")
        assert [(i.kind, i.text, i.name, i.enabled) for i in here] == [
            (i.kind, i.text, i.name, i.enabled) for i in there
        ]
    kinds = [{cls.bl_label for cls in main.CLASSES if cls.bl_space_type == space} for space in main.SPACES]
    assert kinds[0] == kinds[1] and len(kinds[0]) == 11
    for cls in main.CLASSES:
        parent = getattr(cls, "bl_parent_id", None)
        assert parent is None or getattr(bpy.types, parent).bl_space_type == cls.bl_space_type


def check_a_style_and_what_is_mixed_in():
    stage()
    settings = bpy.context.scene.footlight
    mixed = next(item for item in shown() if item.name == "style_second")
    assert not mixed.enabled, "there is nothing to mix into"
    lines = len(shown())
    settings.style = "salsa"
    assert next(item for item in shown() if item.name == "style_second").enabled
    assert len(shown()) == lines, "no row comes or goes"
    settings.style_second = "pop"
    assert any(item.name == "style_percent" for item in shown())
    for name in ("style", "style_second"):
        # the first entry and one for every style of the model, each with a word on what it is
        items = addon("props")._style_items(name == "style_second")
        assert items[0][1] == ("Nothing" if name == "style_second" else "Any Style")
        assert all(item[2] for item in items), items


def check_the_card_stays_with_the_dance():
    first = stage()
    bpy.context.scene.footlight.seed = 7
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
    assert says("well - seed 7") and "On the beat: Good (0.50)" in texts()
    for text, name in (("Play", names.PLAY), ("Another Take", names.GENERATE), ("Add Stage", names.ADD_STAGE)):
        assert button(text).name == name
    assert button("Another Take").properties == {"new_seed": True, "takes": 1}
    explained = [item for item in shown() if item.name == names.EXPLAIN]
    assert len(explained) == 1 and "0 is chance" in explained[0].properties["text"]
    assert bpy.ops.footlight.show_beats() == {"FINISHED"}
    assert says("well - seed 7") and says("2 shown, 1 bars")
    (FOLDER / "how").write_text("wait")
    strips.add_song(bpy.context.scene, noise(3.0, "wait"), 1)
    bpy.context.scene.footlight.strip = "wait"
    addon("operators.generate").start(bpy.context)
    assert says("well - seed 7"), "while another one is made"
    session.cancel()
    finish()
    assert says("well - seed 7") and not says("Cancelled"), "after it was cancelled"
    second = dancer.add_dancer(bpy.context)
    bpy.context.scene.footlight.dancer = second
    assert not says("well - seed 7"), "it is not this one's dance"
    bpy.context.scene.footlight.dancer = first
    assert says("well - seed 7")
    first.animation_data.action = None
    assert not says("well - seed 7")


def check_the_card_of_music():
    stage()
    bpy.ops.footlight.generate_dance()
    assert bpy.ops.footlight.score_motion() == {"FINISHED"}
    assert says("Music for Dancer - seed 0")
    again = [item for item in shown() if item.text == "Another Take"]
    assert [item.name for item in again] == [names.GENERATE, names.SCORE]
    bpy.context.scene.footlight.seed = 1
    bpy.ops.footlight.score_motion()
    assert says("Music for Dancer - seed 1") and not says("Music for Dancer - seed 0")
    editor = bpy.context.scene.sequence_editor
    editor.active_strip = next(strip for strip in editor.strips if strip.name == "Music for Dancer - seed 0")
    editor.active_strip.select = True
    assert says("Music for Dancer - seed 0"), "the one that is selected"
    assert says("of the scene's"), "music for a dance of 60 frames in a scene of 250"


def check_a_warning_stays_with_its_result():
    armature = stage()
    strip = bpy.context.scene.sequence_editor.strips[0]
    bpy.context.scene.footlight.strip, strip.mute = strip.name, True
    bpy.ops.footlight.generate_dance()
    action = armature.animation_data.action
    warned = action["footlight_warning"]
    assert warned == session.state.warning and any(item.alert for item in shown())
    path = str(FOLDER / "warned.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert any(item.alert and item.text in warned for item in shown()), "the file keeps it"
    (cross,) = [item for item in shown() if item.name == names.DISMISS]
    assert bpy.ops.footlight.dismiss(**cross.properties) == {"FINISHED"}
    assert not any(item.alert for item in shown()) and says("well - seed 0")


def check_music_in_a_temporary_folder_is_said_until_it_is_kept():
    bpy.context.preferences.filepaths.temporary_directory = str(FOLDER)
    stage()
    bpy.ops.footlight.generate_dance()
    bpy.ops.footlight.score_motion()
    assert says("temporary folder"), texts()
    keep = button("Save and Keep")
    assert bpy.ops.footlight.keep_music(**keep.properties) == {"FINISHED"}
    assert cards.music_strip(bpy.context).sound.packed_file and not says("temporary folder")
    bpy.context.scene.footlight.duet_seconds = 5.0
    bpy.ops.footlight.generate_duet()
    assert len([item for item in shown() if item.text == "Save and Keep"]) == 2, "with the dance and with the music"
    for made in (FOLDER / "kept").iterdir() if (FOLDER / "kept").exists() else ():
        made.unlink()
    (FOLDER / "kept").mkdir(exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "kept" / "kept.blend"))
    assert says("temporary folder"), "saving alone does not move it"
    bpy.ops.footlight.score_motion()
    assert not music_is_lost(cards.music_strip(bpy.context))


def music_is_lost(strip):
    return addon("scene.music").may_be_lost(strip)


def check_an_error_goes_with_what_may_cure_it():
    def seed():
        bpy.context.scene.footlight.seed += 1

    def song():
        strips.add_song(bpy.context.scene, noise(3.0, "other"), 1)

    def unmute():
        bpy.context.scene.sequence_editor.strips[0].mute = True

    def bone():
        bpy.ops.object.mode_set(mode="EDIT")
        bpy.context.object.data.edit_bones.new("more").tail = (0.0, 0.0, 1.0)
        bpy.ops.object.mode_set(mode="OBJECT")

    def rate():
        bpy.context.scene.render.fps = 50

    def scene():
        bpy.context.window.scene = bpy.data.scenes.new("other")

    def file():
        bpy.ops.wm.read_homefile(use_empty=True)

    def saved():
        bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "saved.blend"))

    def cross():
        bpy.ops.footlight.dismiss()

    def retried():
        (FOLDER / "well.wav").write_bytes((FOLDER / "refuse.wav").read_bytes())
        bpy.context.scene.sequence_editor.strips[0].sound.filepath = str(FOLDER / "well.wav")
        bpy.ops.footlight.generate_dance()

    for cure in (seed, song, unmute, bone, rate, scene, file, saved, cross, retried):
        bpy.ops.wm.read_homefile(use_empty=True)
        stage("refuse")
        fails(bpy.ops.footlight.generate_dance, "the song is silent")
        assert says("the song is silent"), cure.__name__
        assert says("the song is silent"), "and it does not go by being looked at"
        cure()
        assert not says("the song is silent"), cure.__name__


def check_an_error_goes_with_undo_and_redo():
    stage("refuse")
    bpy.ops.ed.undo_push(message="before")
    bpy.context.scene.footlight.seed = 5
    bpy.ops.ed.undo_push(message="seed")
    for step in (bpy.ops.ed.undo, bpy.ops.ed.redo):
        fails(bpy.ops.footlight.generate_dance, "the song is silent")
        handler = bpy.app.handlers.undo_post if step is bpy.ops.ed.undo else bpy.app.handlers.redo_post
        assert notices._forget in handler
        for function in list(handler):
            if function is notices._forget:
                function(bpy.context.scene)
        assert not says("the song is silent")


def check_an_error_is_its_scenes_and_its_operators():
    stage("refuse")
    fails(bpy.ops.footlight.generate_dance, "the song is silent")
    by_panel = {cls.bl_label: draw(cls.draw) for cls in main.CLASSES if cls.bl_space_type == "VIEW_3D"}
    assert [label for label, items in by_panel.items() if any("silent" in i.text for i in items)] == ["Dance"]
    log = [item for item in by_panel["Dance"] if item.name == "wm.path_open"]
    assert not log, "an engine that is well has nothing to tell"
    bpy.ops.wm.read_homefile(use_empty=True)
    stage("die")
    fails(bpy.ops.footlight.generate_dance, "code 9")
    assert [item.properties["filepath"] for item in shown() if item.name == "wm.path_open"] == [session.state.log]


def check_what_is_shown_while_it_works():
    stage("wait")
    assert draw(status.status_bar) == []
    addon("operators.generate").start(bpy.context)
    while session.state.job.state is JobState.STARTING:
        session.poll()
    bars = [item for item in shown() if item.kind == "progress"]
    assert len(bars) == 1 and "%" in bars[0].text, texts()
    assert button("Cancel").name == names.CANCEL
    assert "Generate Dance" not in texts(), "the bar is in its place"
    assert not any(
        item.enabled for item in shown() if item.kind == "prop" and item.name not in ("markers", "bars_only")
    )
    for text in ("Make Music", "Make Both", "Show Beats"):
        assert button(text) and "Footlight is at work" in texts()
    bar, cross = draw(status.status_bar)
    assert (bar.kind, bar.text, cross.name) == ("progress", bars[0].text, names.CANCEL)
    raises(RuntimeError, "at work", bpy.ops.footlight.show_beats)
    session.cancel()
    finish()
    assert draw(status.status_bar) == [] and "Generate Dance" in texts()


def check_the_status_bar_keeps_what_is_drawn_there():
    """What another operator's status text takes away: it puts back the drawing of the time before the extension."""
    header, bar = bpy.types.STATUSBAR_HT_header, addon("status_bar")
    drawn = header.draw._draw_funcs
    kept = header.__dict__.get("_draw_orig")
    header._draw_orig = drawn[0]
    try:
        bpy.context.workspace.status_text_set(None)
        assert not hasattr(header.draw, "_draw_funcs"), "nothing was lost: this check has lost its reason"
        for window in bpy.context.window_manager.windows:
            bar.redraw(bpy.context, window)
        assert list(header.draw._draw_funcs).count(status.status_bar) == 1
    finally:
        header._draw_orig = kept
        if not hasattr(header.draw, "_draw_funcs"):
            header.append(status.status_bar)


def check_an_installation_is_told_too():
    """Whoever installs says how far it is, and nothing was learnt of how long that takes."""
    from types import SimpleNamespace

    session.state.job = SimpleNamespace(state=JobState.RUNNING, stage="Downloading: 120 of 250 MB", fraction=0.48)
    try:
        bar, cross = draw(status.status_bar)
    finally:
        session.state.job = None
    assert (bar.text, bar.factor, cross.name) == ("Downloading: 120 of 250 MB 48 %", 0.48, names.CANCEL)


def check_the_time_is_learnt():
    stage()
    path = environment.user_folder() / "timings.json"
    path.unlink(missing_ok=True)
    session._timings.known = None
    assert "3.0 s long" in texts(), texts()
    bpy.ops.footlight.generate_dance()
    assert says("on this computer"), texts()
    assert path.is_file()
    kept = addon("engine.timings").read(path)
    assert len(kept.work["dance auto"]) == 1
    path.write_text("nonsense")
    session._timings.known = None
    assert "3.0 s long" in texts()
    path.unlink()


def check_without_an_engine_the_reason_is_drawn():
    stage()
    readiness = addon("readiness")
    missing, kept = readiness.Readiness(readiness.Kind.MISSING), readiness.now
    try:
        readiness.now = lambda: missing
        assert says(missing.short)
        for operator in ("generate_dance", "score_motion", "generate_duet", "show_beats"):
            assert not getattr(bpy.ops.footlight, operator).poll()
            raises(RuntimeError, "nstall", getattr(bpy.ops.footlight, operator))
    finally:
        readiness.now = kept
    assert not says(missing.short)


def check_buttons_say_why_they_are_off():
    dancer.add_dancer(bpy.context)
    raises(RuntimeError, "no song", bpy.ops.footlight.show_beats)
    raises(RuntimeError, "No beats are shown", bpy.ops.footlight.remove_beats)
    raises(RuntimeError, "no action and no NLA strip", bpy.ops.footlight.score_motion)
    assert says("The dancer does not move yet")
    assert bpy.ops.footlight.generate_duet.poll()


def check_a_dance_without_a_dancer_adds_one():
    (FOLDER / "how").write_text("well")
    scene = bpy.context.scene
    strips.add_song(scene, noise(3.0, "well"), 1)
    bpy.ops.object.select_all(action="DESELECT")
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
    (armature,) = [ob for ob in scene.objects if ob.type == "ARMATURE"]
    assert armature.animation_data.action["footlight_song"] == "well" and scene.footlight.dancer == armature
    assert "'Dancer' was added" in session.state.message
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
    assert len([ob for ob in scene.objects if ob.type == "ARMATURE"]) == 1 and "was added" not in session.state.message


def check_a_dancer_is_added_where_the_dance_was_asked_for():
    (FOLDER / "how").write_text("well")
    scene = bpy.context.scene
    scene.footlight.duet_seconds = 5.0
    other = bpy.data.scenes.new("other")
    addon("operators.duet").start(bpy.context)
    bpy.context.window.scene = other
    assert finish() is JobState.DONE, session.state.error
    assert [ob.type for ob in scene.objects].count("ARMATURE") == 1 and not other.objects
    assert scene.footlight.dancer and other.footlight.dancer is None


def check_a_dancer_that_cannot_dance_is_taken_back():
    (FOLDER / "how").write_text("well")
    strips.add_song(bpy.context.scene, noise(3.0, "well"), 1)
    dance = FOLDER / "dance.npz"
    kept = dance.read_bytes()
    dance.write_bytes(kept[:-100])
    try:
        raises(RuntimeError, "cannot be read", bpy.ops.footlight.generate_dance)
    finally:
        dance.write_bytes(kept)
    assert not bpy.context.scene.objects and not bpy.data.armatures


def check_another_take_draws_a_seed():
    armature = stage()
    settings = bpy.context.scene.footlight
    bpy.ops.footlight.generate_dance(new_seed=True)
    first = armature.animation_data.action
    assert settings.seed != 0 and first["footlight_seed"] == settings.seed
    bpy.ops.footlight.generate_dance(new_seed=True)
    assert armature.animation_data.action["footlight_seed"] != first["footlight_seed"]
    seed = settings.seed
    bpy.context.scene.sequence_editor.strips[0].sound.filepath = str(FOLDER / "gone.wav")
    raises(RuntimeError, "missing", lambda: bpy.ops.footlight.generate_dance(new_seed=True))
    assert settings.seed == seed, "nothing was made with another one"


def check_names_stay_readable():
    armature = stage()
    found = []
    for _ in range(3):
        bpy.ops.footlight.generate_dance()
        found.append(armature.animation_data.action.name)
    assert found == ["well - seed 0", "well - seed 0 (2)", "well - seed 0 (3)"]
    title = addon("api.naming").title
    long = title("Ein sehr langer Titel voller Umlaute: äöüäöüäöüäöüäöü", "salsa:0.5,pop:0.5", 123)
    assert len(long.encode()) <= 63 and long.endswith(" - 50 % Salsa, 50 % Pop - seed 123")
    assert bpy.data.actions.new(long).name == long, "Blender keeps all of it"
    assert title("Song", "salsa", 7, edited="0:12-0:20 arms") == "Song - 0:12-0:20 arms - Salsa - seed 7"
    long = title("A song", "breakdance:0.5,street jazz:0.5", 2**31 - 1, edited="10:12-10:20 right arm")
    assert long == "A song - 10:12-10:20 right arm - seed 2147483647" and len(long) <= 63


def check_a_result_keeps_how_it_was_made():
    armature = stage()
    settings = bpy.context.scene.footlight
    settings.seed, settings.beat_snap, settings.fine, settings.follow = 3, 0.5, True, 4.0
    settings.free_form = True
    settings.style, settings.style_second, settings.style_mix = "salsa", "pop", 0.25
    bpy.ops.footlight.generate_dance()
    action = armature.animation_data.action
    kept = {key.removeprefix("footlight_"): action[key] for key in action.keys() if key.startswith("footlight_")}  # noqa: SIM118
    wanted = {
        "operation": "dance", "seed": 3, "quality": "fine", "guidance": 4.0, "beat_snap": 0.5, "song": "well",
        "style_asked": "salsa:0.75,pop:0.25", "tempo": 120.0, "beat_score": 0.5, "frames": 60, "song_start": 0.0,
        "free_form": True,
    }  # fmt: skip
    assert {key: kept.get(key) for key in wanted} == wanted
    assert [type(kept[key]) for key in ("seed", "tempo", "seconds", "fps", "steps_per_second", "still")] == [
        int
    ] + 5 * [float]
    assert len(kept["model_sha256"]) == 64
    settings.fine, settings.follow = False, 3.0
    bpy.ops.footlight.generate_dance()
    tuned = addon("model").facts(environment.model_folder())
    assert armature.animation_data.action["footlight_quality"] == "normal"
    action = armature.animation_data.action
    assert (
        action["footlight_steps"] == tuned.steps["motion"] and action["footlight_guidance"] == tuned.guidance["motion"]
    )
    bpy.ops.footlight.score_motion()
    strip = cards.music_strip(bpy.context)
    assert strip["footlight_operation"] == "music" and strip["footlight_steps"] == tuned.steps["music"]
    assert strip["footlight_guidance"] == tuned.guidance["music"] and strip["footlight_seed"] == 3
    settings.duet_seconds = 5.0
    bpy.ops.footlight.generate_duet()
    assert armature.animation_data.action["footlight_operation"] == "both"
    assert cards.music_strip(bpy.context)["footlight_operation"] == "both"
    assert "duet" not in armature.animation_data.action.name.lower()


def check_moves_are_chosen_beside_free_form_and_kept_with_the_dance():
    armature = stage()
    settings = bpy.context.scene.footlight

    def menu():
        (found,) = [item for item in shown() if item.name == "moves"]
        return found

    def danced():
        """What the engine was asked for, and what the action keeps."""
        bpy.ops.footlight.generate_dance()
        asked = json.loads((FOLDER / "asked.json").read_text())
        action = armature.animation_data.action
        return (asked["moves"], asked["free_form"]), (action.get("footlight_moves"), action["footlight_free_form"])

    assert menu().enabled and danced() == ((None, False), (None, False)), "as in the style"
    assert not says("Moves: ")
    settings.moves = "AABB"
    assert menu().enabled and danced() == (("AABB", False), ("AABB", False))
    assert says("Moves: A A B B"), "the card says it"
    settings.free_form = True
    assert not menu().enabled and danced() == ((None, True), (None, True)), "nothing returns"
    settings.free_form = False
    assert settings.moves == "AABB" and menu().enabled, "the choice is still there"
    bpy.ops.footlight.generate_dance(new_seed=True)
    assert json.loads((FOLDER / "asked.json").read_text())["moves"] == "AABB", "another take too"
    bpy.ops.footlight.score_motion()
    assert "footlight_moves" not in cards.music_strip(bpy.context)


def check_results_of_older_versions_are_read():
    """They keep numbers as text, and not all of what is kept now."""
    armature = stage()
    action = bpy.data.actions.new("pop_547 dance")
    armature.animation_data_create().action = action
    for key, value in {"seed": "0", "tempo": "120.000", "style": "breakdance:0.5,pop:0.5", "beat_score": 0.73}.items():
        action[f"footlight_{key}"] = value
    found = card.of(action)
    assert (found.style, found.beat, found.pulse) == ("50 % Breakdance, 50 % Pop", "Good (0.73)", "120 bpm")
    assert found.feet == found.length == found.warning == "" and found.operation == card.DANCE
    assert says("pop_547 dance") and says("50 % Breakdance, 50 % Pop")
    action["footlight_tempo"] = "fast"
    assert card.of(action).pulse == ""
    assert card.of(bpy.data.actions.new("mine")) is None


def check_files_of_older_versions_load():
    """Their settings stay where they mean the same; guidance, which meant something else, is what it normally is."""
    scene = bpy.context.scene
    new = hasattr(scene, "bl_system_properties_get")  # since 5.0
    stored = scene.bl_system_properties_get(do_create=True) if new else scene
    if "footlight" in stored:  # those of now have been looked at
        del stored["footlight"]
    stored["footlight"] = {"seed": 9, "guidance": 0.5, "style_name": "salsa", "style_mix": 0.25, "score_range": 0,
                           "source": 1, "quality": 2, "markers": 1, "strip": "song"}  # fmt: skip
    path = str(FOLDER / "older.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    settings = bpy.context.scene.footlight
    assert (settings.seed, settings.style, settings.source, settings.fine) == (9, "salsa", "MIX", False)
    assert (settings.score_range, settings.style_percent, settings.markers) == ("SCENE", 25, True)
    assert settings.follow == 3.0 and settings.strip == "song"
    assert shown() and addon("operators.settings").sampling(bpy.context.scene, names.GENERATE)["guidance"] is None


def check_bars_alone():
    scene = bpy.context.scene
    beats = [1.0, 16.0, 31.0, 46.0, 61.0]
    markers.show_beats(scene, beats, [True, False, False, False, True], bars_only=True)
    assert [(m.name, m.frame) for m in scene.timeline_markers] == [("♪ 1 ·1, eight 1", 1), ("♪ 2 ·5", 61)]
    assert markers.shown(scene) == (2, 2)
    markers.show_beats(scene, beats, [False] * 5, bars_only=True)
    assert markers.shown(scene) == (5, 0), "where no bars are known all beats are shown"


def check_footwork():
    """Against the engine's own measures: their figures come with the test."""
    import json

    import numpy as np

    measure = addon("scene.footwork").measure
    for name, wanted in json.loads((FOLDER / "footwork.json").read_text()).items():
        values = np.load(FOLDER / f"{name}.npz")
        found = measure(values["rotations"], values["root"], float(values["fps"]))
        assert abs(found.steps - wanted["steps"]) < 1e-6, (name, found, wanted)
        assert abs(found.still - wanted["still"]) < 1e-6, (name, found, wanted)
    assert measure(values["rotations"][:10], values["root"][:10], 30.0) is None
