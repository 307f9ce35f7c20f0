"""The run behind the command: systems dance and play, the results are measured, and measures become a report."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import FootlightError
from core.files import write_atomically
from core.metrics.classifier import Classifier
from train.data.dataset import load_song_records
from train.evaluation.cache import Cache
from train.evaluation.dance import aist, dancers, measures, retrieval, sets, systems
from train.evaluation.dance.material import Excerpt, Material, RealPair, captures, real_pairs, song_excerpts
from train.evaluation.dance.measures import Clip
from train.evaluation.dance.report import Reporter
from train.evaluation.dance.systems import REAL, Asked, System
from train.evaluation.layout import as_csv
from train.evaluation.music import report as music
from train.evaluation.options import Options
from train.evaluation.performance import Performance

Swept = tuple[str, float | int | str]
"""An option and its value, as a sweep varies it."""


@dataclass(frozen=True, eq=False)
class Results:
    """What a run found.

    clips: by system, in the order of the systems.
    failures: who failed to dance or play, and why.
    report: see ``run``.
    music: None when no system was asked for music.
    """

    clips: dict[str, list[Clip]]
    failures: list[dict]
    material: Material
    report: dict
    music: music.MusicResults | None = None


def asked_for(options: Options) -> list[tuple[Asked, Swept | None]]:
    """The systems that were asked for, then those of the sweeps, each with the option and value that its sweep varies.

    Raises FootlightError for words that are not understood, and for two systems of one name.
    """
    asked = [systems.parse(word) for word in options.systems if word != REAL]
    swept: list[tuple[Asked, Swept | None]] = []
    for word in options.sweep:
        option, _, values = word.partition("=")
        base = next((one for one in asked if option in systems.ALLOWED[one.kind]), None)
        if base is None:
            raise FootlightError(f"no system among {', '.join(options.systems)} has the option of --sweep {word!r}")
        for text in values.split(","):
            value = systems.option_value(base.kind, option, text)
            swept.append((base.with_option(option, value), (option, value)))
    found = [*((one, None) for one in asked), *swept]
    names = [REAL, *(one.name for one, _ in found)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise FootlightError(f"two systems are called {twice[0]!r}: give one another name, as in FOLDER=name")
    return found


def build_systems(options: Options, material: Material) -> list[System]:
    """The systems of ``asked_for``, ready to dance. Raises FootlightError as it does, and for what cannot be loaded."""
    asked, loaded = asked_for(options), {}

    @functools.cache
    def shelf() -> retrieval.Shelf:
        assert options.data is not None
        return retrieval.Shelf.of(material.captures, load_song_records(options.data, "train"))

    def built(one: Asked) -> System:
        if one.kind == systems.SLOWING:
            return systems.slowing_system(one, options.fps, material.captures)
        if one.kind == systems.RETRIEVAL:
            return retrieval.retrieval_system(one, options.fps, shelf())
        return dancers.dancer(one, options.fps, loaded)

    return [replace(built(one), swept=swept) for one, swept in asked]


def danced(system: System, songs: list[Excerpt], seeds: int, stage: Performance) -> list[Clip]:
    """Dances to every song with every seed, measured. They are also measured against the next song's beats."""
    found = []
    jobs = [
        (song, other, seed) for song, other in zip(songs, songs[1:] + songs[:1], strict=True) for seed in range(seeds)
    ]
    for song, other, seed in stage.cache.progress(jobs, system.name):
        made = stage.dance(system, song, seed)
        if made is not None:
            against = other.beats if len(songs) > 1 else None
            result = measures.evaluate(made, song.beats, song.onsets, against)
            others = [one.heard.loudness for one in songs if one is not song]
            result |= measures.form_of(made, song.beats, song.heard.loudness, others)
            found.append(Clip(system.name, song.name, seed, song.beats, made, result))
    return found


def real_clips(pairs: list[RealPair], cache: Cache) -> list[Clip]:
    """The val pairs as clips of the system ``real``. A captured clip is one unit with all its tempo bands."""
    found = []
    for number, p in enumerate(cache.progress(pairs, REAL)):
        others = [other.loudness for other in pairs if other.music_name != p.music_name]
        result = measures.evaluate(p.motion, p.beats) | measures.form_of(p.motion, p.beats, p.loudness, others)
        found.append(Clip(REAL, p.motion_name, number, p.beats, p.motion, result, p.genre))
    return found


def run(options: Options, quiet: bool = False) -> Results:
    """Dance, play, measure and gather. Writes nothing but the cache."""
    if options.data is None or options.source is None:
        raise FootlightError("a report needs --data and --source; --motion with --music needs neither")
    if options.seeds < 1:
        raise FootlightError(f"seeds is {options.seeds}; expected 1 or more")
    cache = Cache(options.cache or options.out / "cache", quiet)
    material = Material(
        song_excerpts(options.source, options.start, options.seconds, most=options.songs),
        captures(options.source, options.fps, cache),
        real_pairs(options.data, options.fps),
    )
    classifier = None if options.classifier is None else _classifier(options.classifier)
    training = [clip for clip in material.captures if clip.split == "train"]
    reference = sets.Reference(training, classifier)
    stage = Performance(cache)
    asked = build_systems(options, material) if options.dances else []
    clips = {REAL: real_clips(material.pairs, cache)} if material.pairs and options.dances else {}
    for system in asked:
        clips[system.name] = danced(system, material.songs, options.seeds, stage)
    report = Reporter(options, material, reference, stage).report(asked, clips)
    if options.aist is not None and asked:
        plain = [system for system in asked if system.swept is None]
        held_out = aist.takes(options.aist, options.fps, options.songs)
        report["aist"] = aist.report(plain, held_out, training, classifier, options.seeds, stage)
    played = None
    if options.plays:
        played = music.run(options, options.data, options.fps, options.seeds, reference, stage)
        report["music"] = played.report
    return Results(clips, stage.failures, material, report, played)


def _classifier(folder: Path) -> Classifier:
    """The classifier of a run of ``train.fit``, or of its folder in there."""
    inside = folder / "classifier"
    return Classifier.load(inside if inside.is_dir() else folder)


def write_tables(results: Results, out: Path) -> None:
    """Write report.json, clips.csv (one row for each dance), systems.csv, and music.csv and duets.csv if there is
    music.
    """
    out.mkdir(parents=True, exist_ok=True)
    rows = [_row(clip) for ours in results.clips.values() for clip in ours]
    report = results.report | {"clips": rows}
    write_atomically(out / "report.json", (json.dumps(report, indent=1) + "\n").encode())
    write_atomically(out / "clips.csv", as_csv(rows))
    left_out = ("about", "phase", "tempo", "genres")
    averaged = [
        {"system": name} | measures.flat({k: v for k, v in row.items() if k not in left_out and v})
        for name, row in results.report["systems"].items()
    ]
    write_atomically(out / "systems.csv", as_csv(averaged))
    if results.music is not None:
        pieces = [_piece_row(piece) for ours in results.music.pieces.values() for piece in ours]
        duets = [_row(clip) for ours in results.music.clips.values() for clip in ours]
        for name, found in (("music", pieces), ("duets", duets)):
            if found:
                write_atomically(out / f"{name}.csv", as_csv(found))


def _row(clip: Clip) -> dict:
    return (
        {"system": clip.system, "song": clip.song, "seed": clip.seed, "genre": clip.genre}
        | {"tempo": round(clip.tempo, 2), "tempo_band": clip.band, "seconds": round(clip.made.seconds, 3)}
        | measures.flat(clip.scores)
    )


def _piece_row(piece: music.Piece) -> dict:
    return (
        {"system": piece.system, "motion": piece.scene.name, "seed": piece.seed, "genre": piece.scene.genre}
        | {"tempo": round(piece.heard.tempo, 2), "wanted_tempo": round(piece.scene.tempo, 2)}
        | measures.flat(piece.scores)
    )
