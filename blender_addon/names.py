"""Names that other files, saved scenes and scripts rely on."""

from __future__ import annotations

PACKAGE = (__package__ or "").removesuffix(".blender_addon")
"""The add-on as Blender knows it, for example ``bl_ext.user_default.footlight``."""

SCENE_PROPERTY = "footlight"
"""``Scene.footlight`` holds the settings of ``props.FootlightSettings``."""

BONES_PROPERTY = "footlight_bones"
"""``Object.footlight_bones`` holds what the user chose of ``props.FootlightBones``, kept with an armature."""

TAKES_PROPERTY = "footlight_takes"
"""``Object.footlight_takes`` holds ``props.FootlightTakes``: which takes are a dancer's."""

TAKE_NAME = "footlight_take"
"""``Action.footlight_take`` is what a take is called in the list of takes."""

TAB = "Footlight"

EDITORS = ("VIEW_3D", "SEQUENCE_EDITOR")
"""The editors with that tab in their side bars."""

GENERATE = "footlight.generate_dance"
EDIT = "footlight.edit_dance"
SCORE = "footlight.score_motion"
DUET = "footlight.generate_duet"
THEATRE = "footlight.generate_theatre"
STEP_TAKE = "footlight.step_take"
ACCEPT_TAKE = "footlight.accept_take"
REJECT_TAKE = "footlight.reject_take"
LAY_OUT_TAKES = "footlight.lay_out_takes"
CANCEL = "footlight.cancel"
ADD_DANCER = "footlight.add_dancer"
SHOW_BEATS = "footlight.show_beats"
REMOVE_BEATS = "footlight.remove_beats"
CORRECT_BEATS = "footlight.correct_beats"
USE_MARKERS = "footlight.use_markers"
IMPORT_BEATS = "footlight.import_beats"
EXPORT_BEATS = "footlight.export_beats"
CLEAR_BEATS = "footlight.clear_beats"
INSTALL_ENGINE = "footlight.install_engine"
REINSTALL_ENGINE = "footlight.reinstall_engine"
REMOVE_ENGINE = "footlight.remove_engine"
OPEN_LOG = "footlight.open_log"
COPY_REPORT = "footlight.copy_report"
USE_INSTALLED = "footlight.use_installed_engine"
FREE_MEMORY = "footlight.free_memory"
CHOOSE_SONG = "footlight.choose_song"
BRING_SONG = "footlight.bring_song"
SHOW_SCENE = "footlight.show_scene"
PLAY = "footlight.play"
ADD_STAGE = "footlight.add_stage"
LIGHT = "footlight.light_stage"
SEE_LIGHT = "footlight.see_light"
REMOVE_LIGHT = "footlight.remove_light"
LIGHT_TAKE = "footlight.light_take"
LIGHT_EDIT = "footlight.light_edit"
NEW_SEED = "footlight.new_seed"
DISMISS = "footlight.dismiss"
EXPLAIN = "footlight.explain"
IMPORT_BONES = "footlight.import_bones"
EXPORT_BONES = "footlight.export_bones"
CLEAR_BONES = "footlight.clear_bones"
TAKE_STANCE = "footlight.take_stance"
KEEP_MUSIC = "footlight.keep_music"
OPEN_PANEL = "footlight.open_panel"
OPEN_HELP = "footlight.open_help"
REPORT_BUG = "footlight.report_bug"

DANCER_MARK = "footlight_dancer"
"""Custom property of a bundled dancer's armature: the version of its body."""

PREFIX = "footlight_"
"""Custom properties of what Footlight made; ``api/card.py`` reads them. Of an action and of a music strip: operation
(what made it), seed, style, style_asked, quality, steps, guidance, free_form, model_sha256, tempo, metre, beat_score,
beat_confidence, frames, fps, seconds, warning. Of an action alone: beat_snap, moves (where they were chosen), model,
engine, song, song_start, song_seconds, audio_sha256, steps_per_second, still, t_pose, origin, beats (as a BEATS.json,
where they were corrected), dancer_id (whose take it is); light (a group of what the stage keeps that was lit for it
last, of what the stage is built from, and of what was changed of it by hand); look, look_asked, accent and
energy_on_beats, where it was made with its light, and light_sha256, where that was there; where not every frame is
keyed keys, keys_dense, keys_degrees, keys_millimetres, keys_slide (see ``scene/spacing.py``). Of both: made (when).

Of a song's strip, or of a scene all of whose sound is the song: beats, beats_tracked. Of a song's strip: chosen. Of a
strip that does not play over another one: muted. Of what Add Stage and Light Stage made: stage; of an object of a lit
one also part (which one it is). Of a scene with such a stage: camera_before, world_before (its own, for the day when
the stage goes). Of a lit stage's collection: built, first and changed (see ``kept_light.STANDS``), operation, by (rules
or the model), look, look_asked, seed, song, song_start, audio_sha256, cues, frames, warning, dance_made, edited (which
frames of the dance were edited since, as ``core.grid.ranges`` reads them), beats where they were corrected, and show
(its SHOW.json, see ``api/kept_light.py``)."""

LARGEST_INT = 2**31 - 1
"""Blender's fields and custom properties hold no larger whole number."""

STAGE = PREFIX + "stage"
"""The custom property of a stage's collection and of all that is in it."""

MODEL_VARIABLE = "FOOTLIGHT_MODEL"
"""The environment variable that names a model folder, where the preferences name none."""
