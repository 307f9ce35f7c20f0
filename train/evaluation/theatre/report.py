"""The comparison of theatres: systems stage songs, acts are measured, and measures become a report."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core import pipeline
from core.errors import FootlightError
from core.files import write_atomically
from core.metrics import frechet
from core.metrics.theatre import TEMPO_ROWS
from core.types import Motion
from train.evaluation import statistics
from train.evaluation.cache import Cache
from train.evaluation.dance import dancers, systems
from train.evaluation.dance.measures import flat, positions_of
from train.evaluation.dance.systems import THEATRE, Asked
from train.evaluation.layout import as_csv
from train.evaluation.options import Options
from train.evaluation.performance import Performance
from train.evaluation.theatre import acts, pictures, scenes, stagings
from train.evaluation.theatre.acts import Act
from train.evaluation.theatre.judge import EMBEDDING, Judge, strangers
from train.evaluation.theatre.scenes import Scene
from train.evaluation.theatre.stagings import Staging

DANCER = "default"  # whose dances rules and theatre light
REFERENCE = 1  # the designer's other draw, with which shows are compared
DRAWS = 100  # of whole sets of songs
PATHS = (
    *(f"{name}.{part}" for name in ("bas", "cmc", "sci") for part in ("value", "chance", "calibrated")),
    *("ms", "voa", "energy_on_beats", "speed", "sci.right", "light.flashes"),
    *(f"light.{name}.{part}" for name in ("pulse_f", "section_f", "energy", "answer") for part in ("value", "chance")),
    *(f"kohl.{name}" for name in ("structure", "novelty", "boundary", "loud", "change", "beat_peak", "beat_valley")),
)


@dataclass(frozen=True)
class TheatreOptions(Options):
    """What is staged. The first theatre judges."""

    theatre: tuple[str, ...] = ()  # model folders with a theatre: FOLDER[=NAME][@OPTION=VALUE,...]
    dancers: tuple[str, ...] = ()  # whose dances rules light too: WHAT[=NAME][@OPTION=VALUE,...], models or baselines
    demo_seconds: float = 45.0  # of the demo song, whose sections are known; 0 leaves it out


@dataclass(frozen=True, eq=False)
class Results:
    """What a run found.

    acts: by system. Those of capture come first.
    other_look: the first act of the first theatre in another look.
    """

    acts: dict[str, list[Act]]
    report: dict
    other_look: Act | None


@dataclass(frozen=True, eq=False)
class Company:
    """Everybody who stages songs.

    theatres: as they were asked for. The first one is the judge.
    ours: the first theatre.
    unlooked: the same without a look.
    lit: its light for the dancer's dances.
    ruled, unseen: rules for the dancer's dances, with and without seeing them.
    others: the other theatres, and rules for the dances of others.
    reference: who writes the shows that frames are compared with.
    """

    theatres: list[Asked]
    ours: Staging
    unlooked: Staging
    lit: Staging
    ruled: Staging
    unseen: Staging
    others: list[Staging]
    reference: Staging
    judge: Judge

    @property
    def stagings(self) -> list[Staging]:
        """All, but for the reference, in the order of the report."""
        return [self.ours, self.unlooked, self.lit, self.ruled, self.unseen, *self.others]


def company(words: tuple[str, ...], dancing: tuple[str, ...], fps: float, stage: Performance) -> Company:
    """The systems of a run.

    words: of theatres.
    dancing: of systems whose dances are lit by rules.

    Raises FootlightError for words that are not understood, and models without theatre.
    """
    asked, others = [systems.parse(word, THEATRE) for word in words], [systems.parse(word) for word in dancing]
    names = [one.name for one in asked]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise FootlightError(f"two theatres are called {twice[0]!r}: give one another name, as in FOLDER=name")
    loaded: dict[str, pipeline.Model] = {}
    models = [stagings.theatre_of(one, loaded) for one in asked]
    dancer = systems.model_system(systems.parse(DANCER), fps, loaded)
    first, model = asked[0], models[0]
    ours, *rivals = (stagings.theatre_staging(one, its, fps) for one, its in zip(asked, models, strict=True))
    danced = (stagings.ruled_dance(dancers.dancer(one, fps, loaded), stage, seen=True) for one in others)
    return Company(
        theatres=asked,
        ours=ours,
        unlooked=stagings.theatre_staging(first, model, fps, looks=False),
        lit=stagings.lit_dance(dancer, model, first, fps, stage),
        ruled=stagings.ruled_dance(dancer, stage, seen=True),
        unseen=stagings.ruled_dance(dancer, stage, seen=False),
        others=[*rivals, *danced],
        reference=stagings.ruled_dance(dancer, stage, seen=True, variant=REFERENCE),
        judge=Judge(model),
    )


def run(options: TheatreOptions, data: Path, source: Path, cache: Cache) -> Results:
    """Stage, measure and gather. Writes nothing but the cache.

    Raises FootlightError as ``company`` does, and for data without val songs.
    """
    songs, seeds, fps = options.songs, options.seeds, options.fps
    stage = Performance(cache)
    known = company(options.theatre, options.dancers, fps, stage)
    judge = known.judge
    material = scenes.song_scenes(source, judge.looks, options.start, options.seconds, songs)
    found: dict[str, list[Act]] = {}
    for accent, name in (("strike", "capture, struck"), ("arrive", "capture, arriving")):
        found[name] = [_captured_act(name, *one, judge) for one in scenes.captured(data, judge.looks, songs, accent)]
    for staging in known.stagings:
        found[staging.name] = _staged(staging, material, seeds, stage, judge)
    reference = _staged(known.reference, material, seeds, stage, judge)
    ours, lit, ruled = answering(*(found[one.name] for one in (known.ours, known.lit, known.ruled)))
    found |= {some[0].system: some for some in (ours, lit, ruled) if some}
    found |= controls(ours, lit, ruled, judge)
    found = {name: some for name, some in found.items() if some}
    report = gather(found, reference, known)
    if options.demo_seconds:
        demo = scenes.demo_scene(judge.looks, options.demo_seconds, len(material))
        report["sections"] = _sections(known, demo, stage)
    report["failures"] = stage.failures
    report["settings"] = {"songs": len(material), "seconds": options.seconds, "seeds": seeds, "fps": fps}
    return Results(found, report, _other_look(known, material[0], stage))


def _captured_act(name: str, scene: Scene, motion: Motion, judge: Judge) -> Act:
    made = stagings.staged(motion, stagings.ruled(scene, 0, motion))
    return acts.measured(acts.act_of(name, scene, 0, made), judge)


def _staged(staging: Staging, material: list[Scene], seeds: int, stage: Performance, judge: Judge) -> list[Act]:
    """The measured acts of one system, for all songs and seeds."""
    found = []
    jobs = [(scene, seed) for scene in material for seed in range(seeds)]
    for scene, seed in stage.cache.progress(jobs, staging.name):
        made = staging.attempt(scene, seed, stage)
        if made is not None:
            found.append(acts.measured(acts.act_of(staging.name, scene, seed, made), judge))
    return found


def answering(ours: list[Act], lit: list[Act], authored: list[Act]) -> tuple[list[Act], list[Act], list[Act]]:
    """The acts, with the measure of how their light answers their dance where it is known what another gets.

    The first theatre lights two dances to each song, its own and another system's. Rules light both likewise.

    ours: the acts of the first theatre.
    lit: another system's dances, with the light that the first theatre made for them.
    authored: the same dances by rules.
    """
    others, own = ({(act.song, act.seed): act for act in some} for some in (lit, ours))

    def against(some: list[Act], known: dict[tuple[str, int], Act]) -> list[Act]:
        pairs = ((act, known.get((act.song, act.seed))) for act in some)
        return [act if other is None else acts.answered(act, other.show, other.motion) for act, other in pairs]

    ruled = []
    for act in authored:
        other = own.get((act.song, act.seed))
        show = None if other is None else stagings.ruled(act.scene, act.seed, other.motion)
        ruled.append(act if other is None or show is None else acts.answered(act, show, other.motion))
    return against(ours, others), against(lit, own), ruled


def controls(ours: list[Act], lit: list[Act], authored: list[Act], judge: Judge) -> dict[str, list[Act]]:
    """Dances with light that is not theirs. Song, look and seed are the same, unless they are named.

    - *light of another dance*: the first theatre's show for another dance, and its own show for that dance;
    - *light shifted*: its own show, begun elsewhere; of the rules too;
    - *random show*: what rules wrote for the next song, in the look of that song.

    ours: the acts of the first theatre.
    lit: another system's dances, with the light that the first theatre made for them.
    authored: by rules, of the same songs.
    """
    others = {(act.song, act.seed): act for act in lit}
    shows = {act.song: act.show for act in authored if act.seed == 0}
    following = dict(zip(shows, [*list(shows)[1:], *list(shows)[:1]], strict=True))
    made: dict[str, list[Act]] = {}
    for act in ours:
        other, title = others.get((act.song, act.seed)), "light of another dance"
        some = [acts.shifted(act, f"{act.system}, light shifted")]
        if other is not None:
            some.append(acts.lit_by(act, other.show, f"{act.system}, {title}"))
            some.append(acts.lit_by(other, act.show, f"{other.system.partition(',')[0]}, {title}"))
        if following.get(act.song, act.song) != act.song:
            some.append(acts.lit_by(act, shows[following[act.song]], f"{act.system}, random show"))
        for one in some:
            made.setdefault(one.system, []).append(acts.measured(one, judge))
    for act in authored:
        one = acts.shifted(act, f"{act.system} shifted")
        made.setdefault(one.system, []).append(acts.measured(one, judge))
    return made


def gather(found: dict[str, list[Act]], reference: list[Act], known: Company) -> dict:
    """The report: for every system what it is, means with intervals, the same by tempo, and Fréchet distances."""
    about = {staging.name: staging.about for staging in known.stagings}
    ours = found.get(known.ours.name, [])
    rows = {}
    for name, some in found.items():
        rows[name] = {
            "about": about.get(name, ""),
            "acts": len(some),
            "cmc_shuffled": strangers({act.song: act.vectors for act in some}),
            "intervals": statistics.intervals(some, PATHS),
            "difference": statistics.differences(some, ours, PATHS) if some is not ours else {},
            "bands": {
                band: {"songs": len({act.song for act in inside}), "intervals": statistics.intervals(inside, PATHS)}
                for band, *_ in TEMPO_ROWS
                if (inside := [act for act in some if act.scene.band == band])
            },
            "frames": frechet_of(some, reference),
        }
    return {
        "systems": rows,
        "theatres": [one.name for one in known.theatres],
        "judge": known.theatres[0].name,
        "embedding": EMBEDDING,
        "frames": {
            "reference": sum(len(act.frames) for act in reference),
            "clips": sum(len(act.clips) for act in reference),
        },
    }


def frechet_of(some: list[Act], reference: list[Act]) -> dict[str, dict]:
    """FID and FVD of the songs that both have, with intervals over sets of songs: in every draw the songs of the
    reference are the same. Empty without shared songs.
    """
    songs = sorted({act.song for act in some} & {act.song for act in reference})
    kinds: dict[str, Callable[[Act], Tensor]] = {"fid": lambda act: act.frames, "fvd": lambda act: act.clips}
    result = {}
    for name, rows_of in kinds.items() if songs else ():
        made, real = (
            [torch.cat([rows_of(act) for act in group if act.song == song]) for song in songs]
            for group in (some, reference)
        )
        values = [
            frechet.frechet_distance(*(torch.cat([rows[i] for i in draw]) for rows in (made, real)))
            for draw in statistics.sets(len(songs), DRAWS)
        ]
        known = statistics.around(np.array(values), len(songs))
        result[name] = {**asdict(known), "rows": sum(len(rows) for rows in made)}
    return result


def _sections(known: Company, scene: Scene, stage: Performance) -> dict[str, dict]:
    """F of scene changes against the demo song's known sections, by system, and strokes against its exact beats."""
    found = {}
    for staging in (known.ours, known.ruled, *known.others):
        made = staging.attempt(scene, 0, stage)
        if made is None:
            continue
        act = acts.act_of(staging.name, scene, 0, made)
        some = [act, acts.shifted(act, f"{act.system}, light shifted")] if not found else [act]
        for one in some:
            positions = positions_of(one.motion)
            found[one.system] = acts.light_scores(one.show, positions, one.motion.fps, scene)
    return found


def _other_look(known: Company, scene: Scene, stage: Performance) -> Act | None:
    """The first song once more by the first theatre, in another look."""
    looks = known.judge.looks
    look = looks[(looks.index(scene.look) + len(looks) // 2) % len(looks)]
    other = replace(scene, look=look)
    made = known.ours.attempt(other, 0, stage)
    return None if made is None else acts.act_of(known.ours.name, other, 0, made)


def write(results: Results, folder: Path) -> None:
    """Write theatre.json, theatre.csv with a row for each act, and figures."""
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "theatre.json", (json.dumps(results.report, indent=1) + "\n").encode())
    rows = [
        {"system": act.system, "song": act.song, "seed": act.seed, "look": act.scene.look, "band": act.scene.band}
        | flat(act.scores)
        for some in results.acts.values()
        for act in some
    ]
    write_atomically(folder / "theatre.csv", as_csv(rows))
    for name, picture in pictures.everything(results.acts, results.report, results.other_look).items():
        write_atomically(folder / "figures" / f"{name}.png", picture)
