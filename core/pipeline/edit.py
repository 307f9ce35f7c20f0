"""Makes a part of a dance anew: a range, parts of the body, between key poses, along a path.

base ── the range and what is around it ── latents ──┐
song ── condition of that stretch ───────────────────┴── sampler, pinned to what is kept ── motion ── join ── base

Only the windows around the range are sampled. What is kept enters three times: the network sees it (it was trained
with masks over ranges, poses and parts of the body), the estimate of each step is pinned and fitted to it, and in the
end it is copied, so that it is the same bit for bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core import progress
from core.diffusion.sampler import sample
from core.edits.keys_file import Key
from core.edits.parts import joints_of, parse_parts
from core.errors import FootlightError
from core.motion import contact, features, kinematics, rotation
from core.motion.layouts import layout_named
from core.motion.resample import at_times
from core.motion.skeleton import SMPL22
from core.pipeline.asked import Edit, check_edit, frame_of
from core.pipeline.choices import check_choices, noise_seed, steps_for
from core.pipeline.dance import HeardSong, by_accent, judge
from core.pipeline.drafts import drafts_for, side_by_side
from core.pipeline.kept import Fit, Kept, kept_of
from core.pipeline.model import Model, first_noise, guided_denoiser, last_of, schedule_of, style_of
from core.pipeline.targets import Targets
from core.pipeline.walks import followed, walked
from core.postprocess import feet, floor, hands, joints, retime, smooth
from core.postprocess.hold import alone
from core.postprocess.join import copied, eased, join
from core.protocol import DanceOptions
from core.results import Dance
from core.types import Beats, Condition, Motion

SNAP = 2  # times as far as in a whole dance what is made anew is moved onto the beat, for joins move it off
CONTEXT_SECONDS = 1.0  # before and after the range that the network sees at least


@dataclass(frozen=True)
class Stretch:
    """The part of a dance that an edit touches, with what is around it.

    base: (t, ...) of the dance at its own frame rate, with the key poses in it.
    hold: (t, j) bool, what is kept of it.
    first: the frame of the dance at which it begins.
    latents: [first, last) of the song's latent frames that cover it.
    """

    base: Motion
    hold: Tensor
    first: int
    latents: tuple[int, int]

    @property
    def seconds(self) -> float:
        """When it begins."""
        return self.first / self.base.fps

    @property
    def times(self) -> Tensor:
        """When its frames (t,) are, seconds of the dance."""
        return (self.first + torch.arange(self.base.frames, dtype=torch.float64)) / self.base.fps


@torch.no_grad()
def edit_dance(
    model: Model, heard: HeardSong, edit: Edit, options: DanceOptions | None = None, style: str | None = None
) -> Dance:
    """The dance with a part made anew. What is kept of the base is the same, bit for bit.

    model: the model.
    heard: the song of the dance.
    edit: what is made anew.
    options: seed, steps, guidance and beat snap. The frame rate is that of the base.
    style: of the base, if it is known, for options without a style.

    Raises FootlightError for edits that do not fit the dance, and options and edits that the model does not support.
    """
    options = options or DanceOptions()
    model = model.at(options.quality)
    check_choices(options, model.config)
    check_edit(edit, heard.seconds)
    style = style if options.style is None else options.style
    stretch = stretch_of(model, edit, heard)
    targets = targets_of(model, stretch, edit)
    with progress.part(0.0, 0.9, "Dancing"):
        drawn = sample_edit(model, heard, stretch, edit, targets, options, style)
    with progress.part(0.9, 0.96, "Planting the feet"):
        made = played(model, drawn, stretch, targets)
        motion = merged(edit.base, finish_edit(made, stretch, edit, heard.rhythm.beats, options.beat_snap), stretch)
    with progress.part(0.96, 1.0, "Judging the dance"):
        places = kinematics.forward(motion.rotations, motion.root)
        made = Dance(motion, heard.rhythm.beats, judge(motion, heard.rhythm.beats, places), style)
        return replace(made, metrics=by_accent(made, places))


def stretch_of(model: Model, edit: Edit, heard: HeardSong) -> Stretch:
    """The part of a dance that an edit touches: its range, and around it what fills whole windows."""
    base, rate, sampling = edit.base, model.config.latent_fps, model.config.sampling["motion"]
    total = heard.frames
    first, last = math.floor(edit.start / base.fps * rate), math.ceil(edit.end / base.fps * rate)
    least = last - first + 2 * math.ceil(CONTEXT_SECONDS * rate)
    further = max(0, math.ceil((least - sampling.window) / (sampling.window - sampling.overlap)))
    filled = sampling.window + further * (sampling.window - sampling.overlap)
    around = (filled - (last - first)) // 2
    latents = max(0, first - around), min(total, last + around)
    begin = math.ceil(latents[0] / rate * base.fps)
    end = max(edit.end, min(base.frames, math.floor(latents[1] / rate * base.fps)))
    return Stretch(*with_keys(base.cut(begin, end), edit.hold[begin:end], edit.keys, begin), begin, latents)


def with_keys(piece: Motion, hold: Tensor, keys: tuple[Key, ...], begin: int) -> tuple[Motion, Tensor]:
    """A piece of a dance that goes through key poses, and what is held (t, j) of it, the keys included.

    piece: (t, ...) of the dance.
    hold: (t, j) bool, what is held without the keys.
    keys: the poses.
    begin: the frame of the dance at which the piece begins.
    """
    hold, rotations, root = hold.clone(), piece.rotations.clone(), piece.root.clone()
    for key in keys:
        frame = frame_of(key, piece.fps) - begin
        if not key.posed:
            hold[frame, torch.tensor(joints_of(parse_parts(key.joints)))] = True
        for name, turn in key.rotations.items():
            rotations[frame, SMPL22.index(name)] = rotation.normalise(rotations.new_tensor(turn))
            hold[frame, SMPL22.index(name)] = True
        if key.root is not None:
            root[frame] = root.new_tensor(key.root)
            hold[frame, 0] = True
    if not any(key.posed for key in keys):
        return piece, hold
    return join(piece, replace(piece, rotations=rotations, root=root), hold), hold


def sample_edit(
    model: Model,
    heard: HeardSong,
    stretch: Stretch,
    edit: Edit,
    targets: Targets,
    options: DanceOptions,
    style: str | None,
    fit: Fit | None = None,
) -> Tensor:
    """Features (t, c) of the stretch made anew, at the model's frame rate. What is kept is only nearly kept.

    There may be several drafts of it, see ``core.pipeline.drafts``.
    """
    schedule, kept = schedule_of(model.config), kept_of(model, targets, fit or Fit())
    denoise = kept.held(guided_denoiser(model, "motion", options.guidance), schedule.steps)
    drafts = drafts_for(targets)
    condition = side_by_side(condition_of(model, heard, stretch, kept, style), drafts)
    generator = torch.Generator().manual_seed(noise_seed(options.seed, heard.pcm))
    noise = torch.cat([first_noise(model, "motion", kept.clean.shape[1], generator) for _ in range(drafts)])
    steps = steps_for(model.config, "motion", options.steps)
    walked = schedule.timesteps(steps, edit.variation)
    if edit.variation < 1:
        noise = schedule.add_noise(kept.clean, noise, torch.tensor([walked[0]]))
    samples = sample(
        denoise, noise, schedule, steps, model.config.sampling["motion"].sampler, generator, condition, edit.variation
    )
    beats = heard.rhythm.beats.between(*edit.seconds).shifted(stretch.latents[0] / model.config.latent_fps)
    return kept.finished(last_of(samples, len(walked)), beats)


def played(model: Model, drawn: Tensor, stretch: Stretch, targets: Targets) -> Motion:
    """The motion of features (t, c) at the model's frame rate, at the frames of the stretch."""
    body = model.config.modalities["motion"]
    raw = features.decode(drawn, body.representation, body.fps, targets.origin)
    return at_times(raw, stretch.times - stretch.latents[0] / model.config.latent_fps, stretch.base.fps)


def condition_of(model: Model, heard: HeardSong, stretch: Stretch, kept: Kept, style: str | None) -> Condition:
    """What the network is told: the music of the stretch, the style, and what is kept as far as it knows masks."""
    condition = heard.condition.window(*stretch.latents)
    condition = replace(condition, style=style_of(model, style, model.config.sampling["motion"]))
    network = model.config.denoisers["motion"]
    if not network.observed:
        return condition
    observed, given = kept.observed, kept.given
    if network.observed_parts == 1:
        observed, given = kept.clean, given.amin(-1, keepdim=True)
    return replace(condition, observed=observed * given.amax(-1, keepdim=True), observed_mask=given)


def targets_of(model: Model, stretch: Stretch, edit: Edit) -> Targets:
    """What the stretch has to meet, at the model's frame rate.

    Raises FootlightError for a model of another layout than rotations, and a path that is too fast.
    """
    body, rate = model.config.modalities["motion"], model.config.latent_fps
    layout = layout_named(body.representation)
    if "rotations" not in layout.slices:
        raise FootlightError(f"a model of layout {layout.name} cannot make parts of a dance anew; choose another model")
    frames = (stretch.latents[1] - stretch.latents[0]) * body.autoencoder.stride
    times = stretch.latents[0] / rate + torch.arange(frames, dtype=torch.float64) / body.fps
    base = at_times(stretch.base, (times - stretch.seconds).clamp(0, stretch.base.seconds), body.fps)
    base = replace(base, contacts=None)  # those of another frame rate; ``encode`` labels them anew
    held = _at_model_rate(stretch.hold, (times - stretch.seconds) * stretch.base.fps)
    kept = held[:, 0][:, None].expand(-1, layout.channels).clone()
    kept[:, layout.slices["rotations"]] = held.repeat_interleave(6, dim=1)
    origin, walk = features.origin_of(base.rotations, base.root), None
    if edit.path is not None:
        walk = walked(edit.path, edit.seconds, times, held[:, 0], body.fps)
        if not held[0, 0]:
            origin = torch.cat((walk.places[0], origin[2:] if walk.heading is None else walk.heading[:1]))
    return Targets(features.encode(base, layout), kept, layout, body.fps, origin, walk)


def _at_model_rate(hold: Tensor, at: Tensor) -> Tensor:
    """What is held (t', j) at frame numbers (t',) of ``hold`` (t, j): what is held on both sides, and single frames."""
    last = len(hold) - 1
    low, high = at.floor().long().clamp(0, last), at.ceil().long().clamp(0, last)
    held = hold[low] & hold[high]
    near = at.round().long().clamp(0, last)
    return held | (alone(hold)[near] & ((at - near).abs() <= 0.5)[:, None])


def finish_edit(
    made: Motion, stretch: Stretch, edit: Edit, beats: Beats, beat_snap: float, accent: str = "arrive"
) -> Motion:
    """The stretch, made anew and post-processed, with what is kept of it bit for bit.

    accent: of ``core.protocol.ACCENTS``: what the dancer does on a beat.
    """
    base, hold = stretch.base, stretch.hold
    motion = join(joints.limit(made), base, hold)
    motion = hands.clear(smooth.smooth(motion, hold=hold), hold)
    progress.report(0.3)
    motion = feet.steady(motion, hold)
    if edit.path is not None:
        motion = followed(motion, walked(edit.path, edit.seconds, stretch.times, hold[:, 0], motion.fps))
    motion = floor.above(feet.lock(motion, hold), hold)
    progress.report(0.8)
    snap = min(1.0, SNAP * beat_snap)
    clock = retime.beat_clock(motion, beats.shifted(stretch.seconds), snap, hold=hold, accent=accent)
    times = torch.arange(motion.frames, dtype=torch.float64) / motion.fps
    motion = at_times(motion, clock.at(times), motion.fps)
    assert motion.contacts is not None
    motion = eased(copied(replace(motion, contacts=motion.contacts.round()), base, hold), hold)
    return copied(feet.lock(motion, hold), base, hold)  # because a body that is eased takes standing feet along


def merged(base: Motion, made: Motion, stretch: Stretch) -> Motion:
    """The whole dance, with the stretch in its place."""
    place = slice(stretch.first, stretch.first + made.frames)
    contacts = base.contacts
    if contacts is None:
        contacts = contact.label(kinematics.forward(base.rotations, base.root), base.fps)
    rotations, root, contacts = base.rotations.clone(), base.root.clone(), contacts.clone()
    rotations[place], root[place] = made.rotations, made.root
    changed = ~stretch.hold.all(1)
    assert made.contacts is not None
    contacts[place][changed] = made.contacts[changed]
    return replace(base, rotations=rotations, root=root, contacts=contacts)
