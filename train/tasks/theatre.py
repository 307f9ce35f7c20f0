"""The last stage of theatre: scheduler and diffusion over motion and light together (sections 3.3 and 5.1).

Encoders and unified space are frozen. Two denoisers learn side by side, and at sampling time each hears the other's
clean estimate. In training an estimate is therefore simulated: at noise level t it is what a Gaussian prior makes of
x_t, a x0 + sqrt(a (1 - a)) noise with a the signal's share of the variance.

L = L_motion + L_light + L_coherence + w L_beat + L_smooth, with the body losses of ``train.tasks.denoiser``. Frames
near beats count more in both diffusion losses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core.autoencoder.networks import Autoencoder
from core.config import Config, on_stage
from core.diffusion.objective import diffusion_loss, random_steps, step_weights
from core.diffusion.schedule import linear_sqrt
from core.layers.noise import noise_like
from core.light.cues import told_of
from core.motion.features import positions_from_features
from core.motion.layouts import layout_named
from core.protocol import SWITCH
from core.rhythm.events import beat_response
from core.rhythm.features import RHYTHM_CHANNELS
from core.theatre.energy import energies
from core.theatre.network import Theatre
from core.theatre.palettes import palette_of_light
from core.theatre.slices import Slicing, motion_rows
from core.theatre.space import Triple
from core.types import Condition
from train.data.theatre import crop
from train.loop import Phase
from train.tasks.denoiser import DenoiserTask, DenoiserTaskConfig
from train.tasks.diffusion import condition_of
from train.tasks.motion_vae import body_losses
from train.tasks.theatre_encoders import Inputs
from train.tasks.theatre_losses import (
    BeatWeight,
    beat_loss,
    coherence_loss,
    mean_speeds,
    smooth_loss,
    tempo_density,
)
from train.tasks.theatre_report import judged, pictured

PROTOTYPES = 8  # shows of a look whose mean vector stands for it


@dataclass(frozen=True)
class TheatreTaskConfig(DenoiserTaskConfig):
    """Settings of the last stage, besides those of the motion denoiser.

    dance: False leaves the dancer as it is, and trains the light alone, in a fifth of the time a step.
    light: weight of the light's diffusion loss.
    coherence: weight of L_coherence.
    beat: weight of L_beat, before it is revised; 0 is the paper's No-L_beat.
    gain: by which share of its usual speed a body is faster, or slower, on a beat of full strength.
    smooth: weight of L_smooth.
    hear_light: share of samples whose motion hears the light's estimate.
    hear_motion: share of batches whose light hears the motion's estimate, or the motion.
    motion_given: share of samples whose light hears the motion itself.
    drop_look: share of samples without a look.
    prototype: share of samples with the mean vector of their look in place of the show's own.
    observe_light: share of samples in which some frames of the light are given.
    tell_energy, tell_sections: shares of samples whose light is told of the dancer's energy, if it hears the dance, and
        of the song's sections.
    """

    dance: bool = True
    light: float = 1.0
    coherence: float = 0.1
    beat: float = 0.2
    gain: float = 0.5
    smooth: float = 0.02
    hear_light: float = 0.5
    hear_motion: float = 0.8
    motion_given: float = 0.4
    drop_look: float = 0.15
    prototype: float = 0.5
    observe_light: float = 0.2
    tell_energy: float = 0.9
    tell_sections: float = 0.85


@torch.no_grad()
def told_look(theatre: Theatre, batch: dict) -> Tensor:
    """The style vector (b, style) that each sample is told of its look."""
    style = theatre.style
    own = style.of_palettes(*palette_of_light(batch["light"])).float()
    return torch.where(batch["look_by_name"][:, None], style.prototypes[batch["look"]], own)


class TheatrePhase(Phase):
    """Trains the scheduler and both denoisers."""

    def __init__(
        self, theatre: Theatre, inputs: Inputs, vae: Autoencoder, model: Config, config: TheatreTaskConfig
    ) -> None:
        networks = {"theatre": theatre, "beat_weight": BeatWeight()}
        super().__init__(networks, inputs=inputs, vae=vae.requires_grad_(False).eval())
        assert model.theatre is not None
        self.config, self.stage, self.shape = config, on_stage(model), model.theatre
        self.motion, self.layout = model.modalities["motion"], layout_named(model.modalities["motion"].representation)
        self.slicing = Slicing.of(model)
        self.schedule = linear_sqrt(model.diffusion.steps, model.diffusion.beta_start, model.diffusion.beta_end)

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        c, theatre = self.config, self.network("theatre", Theatre)
        light = self.borrowed.inputs.light(batch["light"])
        t = random_steps(len(light), self.schedule.steps, generator).to(light.device)
        vectors = self.encoded(batch, light, t, generator)
        look = told_look(theatre, batch)
        made = {"light": (light, self.light_condition(batch, vectors, look, light, t, generator))}
        if c.dance:
            made["motion"] = batch["latents"], self.motion_condition(batch, vectors, look, t)
        frames = 1 + self.shape.emphasis * (beat_response(batch["rhythm"]) - 0.375)  # 3/8 is its mean over a beat
        losses, estimates = {}, {}
        for name, (latents, condition) in made.items():
            parts, estimates[name], _ = diffusion_loss(
                theatre.denoisers[name],
                latents,
                condition,
                self.schedule,
                self.stage.prediction(name),
                generator,
                valid=batch["valid"],
                weights=self.level_weights(name),
                frame_weights=frames,
                steps=t,
            )
            losses[name] = parts["diffusion"] * (c.light if name == "light" else 1.0)
        further = self.further(estimates, batch, vectors["music"], t, step) if c.dance else {}
        return {**losses, **further}

    def energy(self, latents: Tensor) -> Tensor:
        """The energy (b, t) of dances (b, t, z)."""
        return energies(latents, self.borrowed.vae, self.motion)

    def level_weights(self, name: str) -> Tensor | None:
        c = self.config
        if not c.most_snr:
            return None
        return step_weights(self.schedule, self.stage.prediction(name), c.most_snr, c.least_snr)

    @torch.no_grad()
    def encoded(self, batch: dict, light: Tensor, t: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Vectors of a batch: ``heard`` of the music (b, s, width), and in the unified space (b, s, k) ``music``,
        ``motion``, and ``estimate``, of the light as it is estimated at steps ``t``.
        """
        theatre, inputs = self.network("theatre", Theatre), self.borrowed.inputs
        heard = theatre.music(batch["rows"])
        blurred = self.estimate(light, t, generator)
        return {
            "heard": heard,
            "music": theatre.space("music", heard),
            "motion": theatre.space("motion", theatre.motion(inputs.motion(batch["features"]))),
            "estimate": theatre.space("light", theatre.light(blurred)),
        }

    def estimate(self, latents: Tensor, t: Tensor, generator: torch.Generator) -> Tensor:
        """What latents (b, t, c) look like to a denoiser at steps (b,), if their prior is Gaussian."""
        share = self.schedule.alphas_cumprod.to(latents)[t][:, None, None]
        return share * latents + (share * (1 - share)).sqrt() * noise_like(latents, generator)

    def steered(self, batch: dict, vectors: dict[str, Tensor], look: Tensor, **known: Tensor) -> Tensor:
        """Scheduling vectors (b, t, steering) for one denoiser."""
        told = look * batch["look_told"][:, None] if self.stage.denoisers["light"].look_channels else None
        theatre = self.network("theatre", Theatre)
        return theatre.steering(vectors["heard"], batch["accent"], batch["light"].shape[1], look=told, **known)

    def motion_condition(self, batch: dict, vectors: dict[str, Tensor], look: Tensor, t: Tensor) -> Condition:
        """The dancer is steered by the light in some samples, and told of the look below the switch."""
        space = self.network("theatre", Theatre).space
        expected = space.expected_motion(vectors["music"])
        light = space.expected_light(vectors["music"], expected)
        light = torch.where(batch["light_heard"][:, None, None], vectors["estimate"], light)
        fine = (t < self.shape.coarse * self.schedule.steps) & batch["look_told"]
        told = self.stage_context("motion", condition_of(batch))
        return replace(
            told, steering=self.steered(batch, vectors, look, light=light), look=self.or_no_look("motion", look, fine)
        )

    def light_condition(
        self,
        batch: dict,
        vectors: dict[str, Tensor],
        look: Tensor,
        light: Tensor,
        t: Tensor,
        generator: torch.Generator,
    ) -> Condition:
        """The light hears the motion itself, its estimate, or nothing of it."""
        known = batch["motion_given"][:, None, None]
        motion = torch.where(
            known, vectors["motion"], self.network("theatre", Theatre).space.expected_motion(vectors["music"])
        )
        told = condition_of(batch)
        context = dict(told.context)
        if bool(batch["motion_heard"].any()):
            context["motion"] = torch.where(known, batch["latents"], self.estimate(batch["latents"], t, generator))
        mask, heard = batch["light_mask"], t < SWITCH * self.schedule.steps
        watched = batch["motion_given"] | (batch["motion_heard"] & heard)
        return replace(
            self.stage_context("light", replace(told, context=context)),
            steering=self.steered(batch, vectors, look, motion=motion),
            look=self.or_no_look("light", look, batch["look_told"]),
            cues=told_of(batch["cues"], watched & batch["energy_told"], batch["sections_told"]),
            observed=light * mask,
            observed_mask=mask,
        )

    def stage_context(self, name: str, condition: Condition) -> Condition:
        """The condition with those contexts alone that a denoiser hears."""
        heard = self.stage.denoisers[name].context
        return replace(condition, context={key: value for key, value in condition.context.items() if key in heard})

    def or_no_look(self, name: str, look: Tensor, told: Tensor) -> Tensor | None:
        """The look of a denoiser (b, style), its null where it is not told."""
        if not self.stage.denoisers[name].look_channels:
            return None
        null = self.network("theatre", Theatre).denoisers[name].get_parameter("null_look")
        return torch.where(told[:, None], look, null)

    def further(
        self, estimates: dict[str, Tensor], batch: dict, music: Tensor, t: Tensor, step: int
    ) -> dict[str, Tensor]:
        """Losses on the bodies and lights that the least noisy estimates stand for."""
        c, weight = self.config, self.network("beat_weight", BeatWeight)
        channel = RHYTHM_CHANNELS.index
        factor = weight.revised(tempo_density(batch["rhythm"], channel("tempo"), channel("known")), step)
        count = round(c.body_share * len(t))
        if not count:
            return {}
        chosen = t.argsort()[:count]
        clean = self.schedule.alphas_cumprod.to(t.device)[t[chosen]]
        scale = (clean * batch["valid"][chosen].all(dim=1)).mean()
        vae, fps = self.borrowed.vae, self.motion.fps
        decoded = vae.decode(vae.unstandardise(estimates["motion"][chosen].float())).float()
        with torch.autocast(decoded.device.type, enabled=False):
            truth = batch["features"][chosen]
            body = body_losses(decoded, truth, fps, self.motion.representation)
            losses = {name: getattr(c, name) * value for name, value in body.items()}
            places, real = (positions_from_features(x, fps, layout=self.layout) for x in (decoded, truth))
            speed, usual = (mean_speeds(x, fps) for x in (places, real))
            losses["beat"] = (
                c.beat
                * factor
                * beat_loss(speed, usual.mean(dim=1), batch["strength"][chosen][:, 1:], batch["accent"][chosen], c.gain)
            )
            losses["smooth"] = c.smooth * smooth_loss(places, fps)
            if c.coherence:
                told = self.coherent(places, estimates["light"][chosen].float(), music[chosen])
                losses["coherence"] = c.coherence * coherence_loss(told)
        return {name: scale * value for name, value in losses.items()} | {"_beat_factor": factor}

    def coherent(self, places: Tensor, light: Tensor, music: Tensor) -> Triple:
        """Music, and the estimated motion and light (b, s, k), in the unified space."""
        theatre = self.network("theatre", Theatre)
        moves = theatre.motion(motion_rows(places, self.motion.fps, self.slicing))
        return music, theatre.space("motion", moves), theatre.space("light", theatre.light(light))


class TheatreTask(DenoiserTask):
    """Trains scheduler and denoisers.

    vae: of motion.
    light_vae: normalises light.
    theatre: with trained encoders and space.
    clips: by split, as ``train.data.theatre.theatre_clips`` makes them.
    """

    part = "theatre"

    def __init__(
        self,
        model: Config,
        config: TheatreTaskConfig,
        vae: Autoencoder,
        light_vae: Autoencoder,
        theatre: Theatre,
        clips: dict[str, list[dict]],
    ) -> None:
        self.whole, self.settings, self.theatre = model, config, theatre
        self.inputs, self.slicing = Inputs(model, light_vae), Slicing.of(model)
        theatre.requires_grad_(False)
        theatre.denoisers.requires_grad_(True)
        theatre.scheduler.requires_grad_(config.dance)  # it steers the dancer, who would dance another way
        super().__init__(on_stage(model), config, vae, clips)
        self.name = "theatre"

    def phase(self) -> TheatrePhase:
        return TheatrePhase(self.theatre, self.inputs, self.vae, self.whole, self.settings)

    @torch.no_grad()
    def learn_prototypes(self) -> None:
        """Let the mean style vector of the shows of each look stand for it."""
        style, lights = self.theatre.style, {}
        for clip in self.train:
            for light, look in clip["shows"]:
                if len(lights.setdefault(look, [])) < PROTOTYPES:
                    lights[look].append(light.float())
        for look, some in lights.items():
            vectors = torch.cat([style.of_palettes(*palette_of_light(light[None])) for light in some])
            style.prototypes[look] = torch.nn.functional.normalize(vectors.mean(dim=0), dim=-1)

    def crop(self, clip: dict, start: int, generator: torch.Generator | None) -> dict[str, Tensor]:
        start = start // self.slicing.latents * self.slicing.latents
        show = 0 if generator is None else int(torch.randint(len(clip["shows"]), (1,), generator=generator))
        lit = crop(clip, start, self.config.frames, self.slicing, self.stride, show)
        return {**super().crop(clip, start, generator), **lit}

    def batch(self, size: int, generator: torch.Generator) -> dict:
        """Also what each denoiser is told of the other, and of the look."""
        c, batch = self.settings, super().batch(size, generator)

        def some(share: float, count: int = size) -> Tensor:
            return torch.rand(count, generator=generator) < share

        lit = self.frames_given(size, generator) & some(c.observe_light)[:, None] & batch["valid"]
        return {
            **batch,
            "light_heard": some(c.hear_light),
            "motion_heard": some(c.hear_motion, 1),
            "motion_given": some(c.motion_given),
            "look_told": ~some(c.drop_look),
            "look_by_name": some(c.prototype),
            "light_mask": lit[..., None].float(),
            "energy_told": some(c.tell_energy),
            "sections_told": some(c.tell_sections),
        }

    def held_out(self, device: torch.device) -> dict:
        batch = super().held_out(device)
        size, frames = batch["latents"].shape[:2]
        yes, no = (torch.full((size,), value, device=device) for value in (True, False))
        told = {"light_heard": no, "motion_heard": yes[:1], "motion_given": yes, "look_told": yes, "look_by_name": yes}
        told |= {"energy_told": yes, "sections_told": yes}
        return {**batch, **told, "light_mask": torch.zeros(size, frames, 1, device=device)}

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        """The mean losses on held-out clips, and what ``train.tasks.theatre_report.judged`` finds in samples."""
        phase = phases[self.part]
        assert isinstance(phase, TheatrePhase)
        device = next(phase.networks.parameters()).device
        losses = phase(self.held_out(device), torch.Generator(device=device).manual_seed(0), 0)
        found = {name.lstrip("_"): float(value) for name, value in losses.items()}
        return {**found, **judged(phase, self.held_out(device), self.whole)}

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        """A held-out dance and a sampled one, and the light of both."""
        phase = phases[self.part]
        assert isinstance(phase, TheatrePhase)
        device = next(phase.networks.parameters()).device
        return pictured(phase, self.held_out(device), self.whole)
