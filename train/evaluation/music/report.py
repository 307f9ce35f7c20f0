"""Everything about music in one run, as part of the report: composers on val motions, duets, and the two checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from core.errors import FootlightError
from core.metrics import audio, beat
from core.pipeline.model import Model
from train.evaluation import statistics
from train.evaluation.dance import sets
from train.evaluation.dance.measures import Clip
from train.evaluation.dance.systems import DUET, REAL, SCORER, Asked, model_key, model_of, parse
from train.evaluation.music import checks, composers, duets
from train.evaluation.music.composers import Composer, Piece
from train.evaluation.music.judge import Judge
from train.evaluation.music.scenes import Scene, TrainingMusic, held_out_songs, scenes
from train.evaluation.performance import Performance

# The metrics that get intervals and differences.
HEADLINE = (
    "f_reference.calibrated",
    "f_hits.calibrated",
    "f_onsets.calibrated",
    "f_grid.calibrated",
    "f_beats_grid.calibrated",
    "f_beats_hits.calibrated",
    "tempo.any",
)


@dataclass(frozen=True)
class MusicOptions:
    """Which systems make music, and how much of it."""

    scores: tuple[str, ...] = ()  # models that score the val motions: WHAT[=NAME][@OPTION=VALUE,...] each
    duets: tuple[str, ...] = ()  # models that make dance and music together
    motions: int | None = None  # val motions that are scored, at most
    duet_count: int = 8  # duets of each kind
    switches: tuple[float, ...] = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)  # of the first model's sweep
    tempos: tuple[float, ...] = (80.0, 100.0, 120.0, 140.0)  # beats a minute of the dances in the tempo check
    tempo_dances: int = 3  # at every tempo


@dataclass(frozen=True, eq=False)
class MusicResults:
    """What a run found about music.

    pieces: by composer.
    clips: of duets, by kind.
    report: the part ``music`` of the report.
    """

    pieces: dict[str, list[Piece]]
    clips: dict[str, list[Clip]]
    scenes: list[Scene]
    report: dict = field(default_factory=dict)


def run(
    options: MusicOptions, data: Path, fps: float, seeds: int, reference: sets.Reference, stage: Performance
) -> MusicResults:
    """Play, make duets, and measure.

    seeds: scores of each motion.
    reference: the capture that duets are compared with.

    Raises FootlightError for words that are not understood, models that make no music, and data without waveforms.
    """
    if options.duet_count < 2 or options.tempo_dances < 1:
        raise FootlightError(
            f"duet_count is {options.duet_count} and tempo_dances {options.tempo_dances}; expected at least 2 and 1"
        )
    scorers = [parse(word, SCORER) for word in options.scores]
    inventors = [parse(word, DUET) for word in options.duets]
    for some in (scorers, inventors):
        names = [REAL, composers.NEAREST, composers.NEAREST_ON_BEAT, *(one.name for one in some)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise FootlightError(f"{twice[0]!r} has two meanings: give the model another name, as in FOLDER=name")
    loaded: dict[str, Model] = {}
    asked = [*scorers, *inventors]
    for one in asked:
        model_of(one, loaded).check_scores()
    able = [duets.inventor(one, fps, loaded) for one in inventors]
    training = TrainingMusic(data)
    first = loaded[asked[0].what]
    judge = Judge(first.autoencoders["music"], first.config.signal, training)
    found = MusicResults({}, {}, scenes(data, fps, options.motions))
    found.report.update(judge=asked[0].name, scenes=[_about(scene) for scene in found.scenes])
    if scorers:
        made = everybody(scorers, loaded, training, stage)
        for composer in made:
            found.pieces[composer.name] = composers.scored(composer, found.scenes, seeds, stage)
        found.report["compared_with"] = scorers[0].name
        found.report["systems"] = summaries(made, found.pieces, judge, scorers[0].name)
        own = [composer for composer in made if composer.name in [one.name for one in scorers]]
        found.report["tempo"] = tempos(own, found.scenes, options, stage)
        found.report["decoding"] = decoding(scorers, loaded, data, stage)
    if inventors:
        found.report["duets"] = {}
        for one in able:
            rows, clips = duets.compared(one, found.scenes, options.duet_count, stage, reference, judge)
            found.report["duets"] |= rows
            found.clips.update(clips)
        if options.switches:
            swept = duets.switch_sweep(able[0], options.switches, options.duet_count, stage, reference, judge)
            found.report["switch"] = swept
    return found


def everybody(
    scorers: list[Asked], loaded: dict[str, Model], training: TrainingMusic, stage: Performance
) -> list[Composer]:
    """Real music, the models, the controls of the first model, and training music."""
    found = [composers.real_composer()]
    for number, one in enumerate(scorers):
        found += composers.model_composers(one, loaded, stage, controls=number == 0)
    return [*found, *composers.tempo_composers(training)]


def summaries(made: list[Composer], pieces: dict[str, list[Piece]], judge: Judge, first: str) -> dict[str, dict]:
    """Composer -> its row: averages as ``scores``, intervals, paired differences to the first model, FAD-latent."""
    rows = {}
    for composer in made:
        ours = pieces[composer.name]
        if not ours:
            continue
        row = {"about": composer.about, "scores": beat.average([piece.scores for piece in ours])}
        row["intervals"] = statistics.intervals(ours, HEADLINE)
        if composer.name != first and pieces[first]:
            row["difference"] = statistics.differences(ours, pieces[first], HEADLINE)
        rows[composer.name] = row | {"fad": judge.of_pieces(ours)}
    return rows


def tempos(own: list[Composer], found: list[Scene], options: MusicOptions, stage: Performance) -> dict:
    """``checks.tempo_check`` of the models."""
    dances = {one.name: checks.tempo_check(one, found, options.tempos, options.tempo_dances, stage) for one in own}
    return {"chance": audio.TEMPO_CHANCE, "dances": dances}


def decoding(scorers: list[Asked], loaded: dict[str, Model], data: Path, stage: Performance) -> dict[str, dict]:
    """Model -> ``checks.decoder_check``. Each folder is checked once."""
    songs = held_out_songs(data, checks.DECODED_SECONDS)
    first = {}
    for one in scorers:
        first.setdefault(one.what, one)
    return {
        one.name: checks.decoder_check(one.name, loaded[what], model_key(one, 0.0), songs, stage)
        for what, one in first.items()
    }


def _about(scene: Scene) -> dict:
    return {"name": scene.name, "genre": scene.genre, "seconds": scene.seconds, "tempo": scene.tempo}
