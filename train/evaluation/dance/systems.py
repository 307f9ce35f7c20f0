"""Systems that dance to a song, behind one small protocol: a name, a digest, and ``dance(excerpt, seed)``.

A system is a word on the command line, ``WHAT[=NAME][@OPTION=VALUE,...]``:

    default                        the embedded model
    FOLDER, FOLDER=mine            a model folder, under its own or another name
    default@guidance=1.5,steps=25  with other sampling: guidance, steps, sampler, snap, style (of a dance);
                                   guidance, steps, style (of a score); these, switch and snap (of a duet);
                                   guidance, steps, sampler, style, accent, snap, answer and look_guidance
                                   (of a theatre)
    slowing, slowing@amount=0.4    an unrelated clip, slowed on every beat
    retrieval                      training motion capture of nearest tempo and energy, warped onto the beats
    RUN/autoregressive             the baseline that ``train.fit autoregressive`` left in a run: accent, temperature,
                                   style and snap
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from core import pipeline
from core.diffusion.sampler import SAMPLERS
from core.errors import FootlightError
from core.files import file_digest
from core.formats.motion import MotionClip
from core.motion.layouts import layout_named
from core.motion.resample import at_times
from core.pipeline.choices import check_choices
from core.types import Motion
from train.data.pairing import warp
from train.data.pairing.pairs import Settings
from train.data.shards import key
from train.evaluation.cache import Made, sources_digest
from train.evaluation.dance.material import Capture, Excerpt

SLOWING = "slowing"  # the systems that are no models
RETRIEVAL = "retrieval"
AUTOREGRESSIVE = "autoregressive"
REAL = "real"
DANCER = "model"  # what a model may be asked for
SCORER = "scorer"
DUET = "duet"
THEATRE = "theatre"
SHORTEST_SLOWED = 12.0  # seconds of a clip worth slowing on beats
_NUMBERS = {
    "guidance": float,
    "steps": int,
    "snap": float,
    "amount": float,
    "switch": float,
    "answer": float,
    "look_guidance": float,
    "temperature": float,
}
# The options of each kind of system.
ALLOWED = {
    DANCER: ("guidance", "steps", "sampler", "snap", "style"),
    SCORER: ("guidance", "steps", "style"),
    DUET: ("guidance", "steps", "switch", "snap", "style"),
    THEATRE: ("guidance", "steps", "sampler", "style", "accent", "snap", "answer", "look_guidance"),
    SLOWING: ("amount",),
    RETRIEVAL: ("amount", "snap"),
    AUTOREGRESSIVE: ("accent", "temperature", "style", "snap"),
}


@dataclass(frozen=True, eq=False)
class System:
    """A system that dances.

    name: in tables.
    key: a digest of all that shapes its dances besides song and seed.
    dance: (excerpt, seed) -> a motion of the excerpt's length at the evaluation's fps, or positions alone.
    about: for the report.
    styles: of a model that has any.
    in_style: style -> the same system in that style.
    swept: the option and value of a sweep.
    """

    name: str
    key: str
    dance: Callable[[Excerpt, int], Made]
    about: str
    styles: tuple[str, ...] = ()
    in_style: Callable[[str], System] | None = None
    swept: tuple[str, float | int | str] | None = None

    def cache_key(self, excerpt: Excerpt, seed: int) -> str:
        """The key of one dance. It holds the excerpt's number, because baselines choose by it."""
        return key("dance", self.key, excerpt.digest, excerpt.number, excerpt.name, seed)


@dataclass(frozen=True)
class Asked:
    """A system as it was asked for.

    what: the word or folder.
    name: in tables.
    options: of the sampling.
    role: ``DANCER``, ``SCORER``, ``DUET`` or ``THEATRE``.
    """

    what: str
    name: str
    options: tuple[tuple[str, float | int | str], ...] = ()
    role: str = DANCER

    @property
    def kind(self) -> str:
        if self.role != DANCER:
            return self.role
        if Path(self.what).name == AUTOREGRESSIVE:
            return AUTOREGRESSIVE
        return self.what if self.what in (SLOWING, RETRIEVAL) else DANCER

    def with_option(self, option: str, value: float | int | str) -> Asked:
        """The same system with one option added or changed. Its name says so."""
        options = {**dict(self.options), option: value}
        shown = f"{value:g}" if isinstance(value, int | float) else value
        return replace(self, name=f"{self.name} {option} {shown}", options=tuple(options.items()))

    def number(self, option: str, default: float) -> float:
        """An option that is a number."""
        value = dict(self.options).get(option, default)
        assert not isinstance(value, str)
        return value

    def chosen(self, names: dict[str, str]) -> dict[str, float | int | str]:
        """The options under the pipeline's names."""
        return {names.get(option, option): value for option, value in self.options}


def parse(word: str, role: str = DANCER) -> Asked:
    """A system from ``WHAT[=NAME][@OPTION=VALUE,...]``. Raises FootlightError for options that it does not have."""
    head, _, tail = word.partition("@")
    what, _, name = head.partition("=")
    asked = Asked(what, name or (Path(what).name or what), role=role)
    for part in filter(None, tail.split(",")):
        option, _, text = part.partition("=")
        value = option_value(asked.kind, option, text)
        asked = asked.with_option(option, value)
    return replace(asked, name=name) if name else asked


def option_value(kind: str, option: str, text: str) -> float | int | str:
    """The value of an option from its text. Raises FootlightError for a text that is no value of it."""
    if option not in ALLOWED[kind]:
        raise FootlightError(f"{kind} has no option {option!r}: choose {', '.join(ALLOWED[kind])}, as in guidance=1.5")
    try:
        value = _NUMBERS.get(option, str)(text)
    except ValueError:
        raise FootlightError(f"{option} is {text!r}; expected a number, as in guidance=1.5 or steps=25") from None
    if option == "sampler" and value not in SAMPLERS:
        raise FootlightError(f"unknown sampler {value!r}: choose {', '.join(SAMPLERS)}")
    return value


def model_of(asked: Asked, loaded: dict[str, pipeline.Model]) -> pipeline.Model:
    """The model of a folder, or an embedded model by its name.

    loaded: models that were read before, by folder. A new one is added.
    """
    if asked.what not in loaded:
        loaded[asked.what] = pipeline.Model.load(asked.what)
    return loaded[asked.what]


def model_key(asked: Asked, fps: float) -> str:
    """A digest of all that shapes what a model makes besides its input and the seed."""
    folder = pipeline.find_model(asked.what)
    weights = [file_digest(path) for path in sorted(folder.glob("*")) if path.suffix in (".json", ".safetensors")]
    code = sources_digest("core", without=("core/metrics", "core/serving", "core/engine", "core/cli", "core/__main__"))
    return key(asked.role, code, weights, sorted(asked.options), fps)


def model_system(asked: Asked, fps: float, loaded: dict[str, pipeline.Model]) -> System:
    """A model that dances. See ``model_of``."""
    model, options = model_of(asked, loaded), asked.chosen({"snap": "beat_snap"})
    if "sampler" in options:
        sampling = replace(model.config.sampling["motion"], sampler=options.pop("sampler"))
        config = replace(model.config, sampling={**model.config.sampling, "motion": sampling})
        model = replace(model, config=config)
    chosen = replace(pipeline.DanceOptions(fps=fps), **options)
    check_choices(chosen, model.config)

    motion = model.config.modalities["motion"]
    flat = layout_named(motion.representation).dimensions == 2

    def dance(excerpt: Excerpt, seed: int) -> Made:
        options = replace(chosen, seed=seed)
        if not flat:
            return pipeline.generate_dance(model, excerpt.waveform, options).motion
        drawn, *_ = pipeline.sample_dance(model, excerpt.waveform, options)
        frames = round(excerpt.seconds * motion.fps)
        return MotionClip(pipeline.joint_positions(model, drawn)[:frames], motion.fps)

    parts = [*model.autoencoders.values(), model.denoisers["motion"]]
    size = sum(p.numel() for part in parts for p in part.parameters())
    sampling = model.config.sampling["motion"]
    steps = chosen.steps or sampling.steps
    scale = sampling.guidance if chosen.guidance is None else chosen.guidance
    about = (
        f"a model of {size / 1e6:.1f} M parameters; {sampling.sampler}, {steps} steps, guidance {scale:g}, "
        f"beat snap {chosen.beat_snap:g}"
    )
    return System(
        asked.name,
        model_key(asked, fps),
        dance,
        about,
        model.config.styles,
        lambda style: model_system(asked.with_option("style", style), fps, loaded),
    )


def slowing_system(asked: Asked, fps: float, clips: list[Capture]) -> System:
    """Val capture that knows only the beats of the music. It shows how far beat metrics can be gamed.

    Excerpt and seed choose the clip. It is played from its first frame for as long as it lasts. It does not get a
    model's finish: it is clean already, and a beat snap would slow it twice.
    """
    amount = asked.number("amount", Settings().beat_slowing)
    if not 0 <= amount < 1:
        raise FootlightError(f"the slowing's amount is {amount:g}; expected 0 (none) to below 1 (a stop on every beat)")
    long = [clip for clip in clips if clip.split == "val" and clip.motion.seconds >= SHORTEST_SLOWED]
    if not long:
        raise FootlightError(f"slowing needs a val clip of {SHORTEST_SLOWED:g} s or more, and the data has none")

    def dance(excerpt: Excerpt, seed: int) -> Motion:
        return slowed(long[(excerpt.number + seed) % len(long)].motion, excerpt, amount, fps)

    code = sources_digest("core/motion", "train/data/pairing/warp.py", "train/evaluation/dance/systems.py")
    about = f"an unrelated val clip, slowed on every beat by {amount:g} (0: not at all); it has learned nothing"
    return System(asked.name, key("slowing", code, amount, fps, [clip.name for clip in long]), dance, about)


def slowed(motion: Motion, excerpt: Excerpt, amount: float, fps: float) -> Motion:
    """The motion slowed on every beat of the song, from its first frame on, for as long as it lasts."""
    seconds = min(motion.seconds, excerpt.seconds)
    clock = np.arange(int(seconds * fps)) / fps
    times = clock
    if len(excerpt.beats.times) > 1:
        times = warp.slowed_on_beats(clock, warp.extended(excerpt.beats.times.double().numpy(), seconds), amount)
    return at_times(motion, torch.from_numpy(times).clamp(0, motion.seconds - 1 / motion.fps), fps)
