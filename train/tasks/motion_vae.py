"""Stage 2: the motion autoencoder, with the music autoencoder frozen (paper eq. 11).

L = L_rec + 1e-5 L_KL + L_rhythm, where L_rec is widened by what the field has since found necessary for bodies:
joint positions through forward kinematics, velocities, and feet that stay where they stand (Tevet et al., MDM).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.autoencoder.motion_vae import MotionVAE
from core.autoencoder.rhythmic_contrast import RhythmicContrast
from core.config import Config
from core.motion import rotation
from core.motion.features import heading_of, positions_from_features
from core.motion.layouts import Layout, layout_named
from core.motion.skeleton import FOOT_JOINTS
from train.draw import motion_picture
from train.loop import Phase


@dataclass(frozen=True)
class MotionVAEConfig:
    """frames: length of a training crop in motion frames. The weights multiply the losses of the same name."""

    frames: int = 128
    kl: float = 1e-5
    reconstruction: float = 1.0
    positions: float = 2.0  # per metre
    velocity: float = 1.0  # per metre a second
    feet: float = 0.5  # per metre a second of a planted foot
    rhythm: float = 0.1
    contrast_clips: int = 8
    temperature: float = 0.1


def body_losses(decoded: Tensor, target: Tensor, fps: float, layout: str | Layout = "smpl22-6d") -> dict[str, Tensor]:
    """Losses on the bodies that two feature sequences (b, t, c) describe.

    Positions and velocities are compared as each body's own heading sees them, so that an early turn is not paid for
    in every later frame; a flat layout has no heading and is compared as it is. positions: mean joint distance (m).
    velocity: mean difference of joint velocities (m/s). feet: mean speed over the floor (m/s) of feet that are planted
    in the target; absent where the layout knows no contacts.
    """
    layout = layout_named(layout) if isinstance(layout, str) else layout
    place, speed = _as_the_heading_sees(decoded, fps, layout)
    truth, true_speed = _as_the_heading_sees(target, fps, layout)
    losses = {
        "positions": (place - truth).norm(dim=-1).mean(),
        "velocity": (speed - true_speed).norm(dim=-1).mean(),
    }
    if "contacts" in layout.slices:
        contact = target[..., layout.slices["contacts"]]  #           b t 4
        planted = (contact[:, 1:] * contact[:, :-1]).detach()
        sliding = speed[:, :, list(FOOT_JOINTS)].norm(dim=-1)
        losses["feet"] = (sliding * planted).sum() / planted.sum().clamp_min(1.0)
    return losses


def _as_the_heading_sees(features: Tensor, fps: float, layout: Layout) -> tuple[Tensor, Tensor]:
    """Joint positions (b, t, j, 3) about the pelvis' place on the floor; world velocities (b, t - 1, j, 3), turned."""
    world = positions_from_features(features, fps, layout=layout)  #  b t j 3, or 2
    velocity = world.diff(dim=1) * fps
    if layout.dimensions == 2:
        return world, velocity
    back = rotation.about("y", -heading_of(layout.split(features), fps))[:, :, None]  # b t 1 4
    floor = world[:, :, :1] * world.new_tensor((1.0, 0.0, 1.0))
    return rotation.rotate(back, world - floor), rotation.rotate(back[:, 1:], velocity)


class MotionVAEPhase(Phase):
    def __init__(self, vae: MotionVAE, contrast: RhythmicContrast, model: Config, config: MotionVAEConfig) -> None:
        super().__init__({"motion_vae": vae, "contrast": contrast})
        self.config = config
        self.fps, self.layout = model.signal.motion_fps, layout_named(model.signal.motion_layout)

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        c, features = self.config, batch["features"]  #               b t c
        vae = self.networks["motion_vae"]
        posterior = vae.encode(features)
        latents = posterior.sample(generator)  #                      b t' z
        decoded = vae.decode(latents)
        with torch.autocast(features.device.type, enabled=False):
            decoded = decoded.float()
            body = body_losses(decoded, features, self.fps, self.layout)
        error = vae.normalise(decoded) - vae.normalise(features)
        losses = {
            "reconstruction": c.reconstruction * error.square().mean(),
            "kl": c.kl * posterior.kl().mean(),
            **{name: getattr(c, name) * value for name, value in body.items()},
        }
        if c.rhythm:
            losses["rhythm"] = c.rhythm * self.networks["contrast"](
                latents, batch["music"], batch["amplitude"], generator
            )
        return losses


class MotionVAETask:
    """clips: one dict a clip and split with ``features`` (t, c), ``music`` (t', z) and ``amplitude`` (t',)."""

    name = "motion-vae"

    def __init__(self, model: Config, config: MotionVAEConfig, clips: dict[str, list[dict]]) -> None:
        self.config, self.model = config, model
        self.stride = model.motion_vae.stride
        self.train = [clip for clip in clips["train"] if len(clip["features"]) >= config.frames]
        self.val = [clip for clip in clips["val"] if len(clip["features"]) >= config.frames]
        self.lengths = torch.tensor([float(len(clip["features"])) for clip in self.train])
        self.layout = layout_named(model.signal.motion_layout)
        vae = MotionVAE(model.motion_vae, self.layout.name)
        vae.learn_from(torch.cat([clip["features"] for clip in self.train]))
        contrast = RhythmicContrast(
            model.motion_vae.latent_channels,
            model.mel_vae.latent_channels,
            clips=config.contrast_clips,
            temperature=config.temperature,
        )
        self.phases: dict[str, Phase] = {"motion": MotionVAEPhase(vae, contrast, model, config)}

    def batch(self, size: int, generator: torch.Generator) -> dict:
        chosen = torch.multinomial(self.lengths, size, replacement=True, generator=generator)
        parts: dict[str, list[Tensor]] = {"features": [], "music": [], "amplitude": []}
        latent_frames = self.config.frames // self.stride
        for index in chosen.tolist():
            clip = self.train[index]
            room = min(len(clip["features"]) // self.stride, len(clip["music"])) - latent_frames
            start = int(torch.randint(room + 1, (1,), generator=generator))
            parts["features"].append(clip["features"][start * self.stride :][: self.config.frames])
            parts["music"].append(clip["music"][start : start + latent_frames])
            parts["amplitude"].append(clip["amplitude"][start : start + latent_frames])
        return {name: torch.stack(values).float() for name, values in parts.items()}

    def _held_out(self, count: int) -> Tensor:
        return torch.stack([clip["features"][: self.config.frames].float() for clip in self.val[:count]])

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        vae = phases["motion"].networks["motion_vae"]
        features = self._held_out(24).to(vae.std.device)
        latents = vae.encode(features).mode()
        fps = self.model.signal.motion_fps
        body = body_losses(vae.decode(latents).float(), features, fps, self.layout)
        found = {
            "position_cm": 100 * float(body["positions"]),
            "velocity_m_s": float(body["velocity"]),
            "latent_std": float(latents.std()),
        }
        if "feet" in body:
            own = body_losses(features, features, fps, self.layout)
            found |= {"feet_m_s": float(body["feet"]), "feet_source_m_s": float(own["feet"])}
        return found

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        vae = phases["motion"].networks["motion_vae"]
        features = self._held_out(1).to(vae.std.device)
        decoded = vae.decode(vae.encode(features).mode()).float()
        fps = self.model.signal.motion_fps
        bodies = [positions_from_features(x, fps, layout=self.layout)[0].cpu() for x in (features, decoded)]
        return {"motion": motion_picture(bodies, fps, layout=self.layout)}
