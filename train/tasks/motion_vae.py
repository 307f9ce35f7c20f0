"""The motion autoencoder, with the music autoencoder frozen (MoMu-Diffusion, eq. 11).

L = L_rec + 1e-5 L_KL + L_rhythm. L_rec also has what later work found necessary for bodies: joint positions through
forward kinematics, velocities, and feet that stay where they stand (Tevet et al., MDM).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.autoencoder.normalised import NormalisedVAE
from core.autoencoder.rhythmic_contrast import RhythmicContrast
from core.config import Config
from core.motion import rotation
from core.motion.features import heading_of, positions_from_features
from core.motion.layouts import Layout, layout_named
from core.motion.skeleton import FOOT_JOINTS
from train.draw import motion_picture
from train.loop import Phase
from train.tasks.autoencoder import AutoencoderPhase, AutoencoderTask, AutoencoderTaskConfig

WINDOWS = (16, 32)  # frames of the short-time spectra
HIGHEST = 11.0  # Hz; the finish smooths away what is quicker
FLOOR = 0.02  # m/s


@dataclass(frozen=True)
class MotionVAEConfig(AutoencoderTaskConfig):
    """Weights of the losses on bodies and rhythm."""

    positions: float = 2.0  # per metre
    velocity: float = 1.0  # per metre a second
    feet: float = 0.5  # per metre a second of a planted foot
    spectrum: float = 0.0  # per neper
    rhythm: float = 0.1
    contrast_clips: int = 8
    temperature: float = 0.1


def body_losses(
    decoded: Tensor, target: Tensor, fps: float, layout: str | Layout = "smpl22-6d", spectrum: bool = False
) -> dict[str, Tensor]:
    """Losses on the bodies that two feature sequences (b, t, c) describe.

    Positions and velocities are compared in each body's own heading, so that an early turn does not cost in every later
    frame. A flat layout has no heading and is compared as it is.

    Returns ``positions``, the mean joint distance (m); ``velocity``, the mean difference of joint velocities (m/s);
    ``feet``, the mean speed over the floor (m/s) of feet that are planted in the target, if the layout has contacts;
    and ``spectrum``, see ``spectral_distance``, if it is asked for.
    """
    layout = layout_named(layout) if isinstance(layout, str) else layout
    place, speed = as_the_heading_sees(decoded, fps, layout)
    truth, true_speed = as_the_heading_sees(target, fps, layout)
    losses = {
        "positions": (place - truth).norm(dim=-1).mean(),
        "velocity": (speed - true_speed).norm(dim=-1).mean(),
    }
    if spectrum:
        losses["spectrum"] = spectral_distance(speed, true_speed, fps)
    if "contacts" in layout.slices:
        contact = target[..., layout.slices["contacts"]]  #           b t 4
        planted = (contact[:, 1:] * contact[:, :-1]).detach()
        sliding = speed[:, :, list(FOOT_JOINTS)].norm(dim=-1)
        losses["feet"] = (sliding * planted).sum() / planted.sum().clamp_min(1.0)
    return losses


def spectral_distance(velocity: Tensor, target: Tensor, fps: float) -> Tensor:
    """The mean distance of log-magnitudes (nepers) of joint velocities (b, t, j, d) in short-time spectra.

    What a decoder cannot know in detail it blurs, because that is the least error. Magnitudes know no phase, so this
    asks for as much quick movement as there was, wherever it comes exactly. Vocoders are trained so (Yamamoto et al.,
    Parallel WaveGAN, 2020). Frequencies above ``HIGHEST`` do not count, and magnitudes far below ``FLOOR`` are alike.
    """
    distances = []
    for window in WINDOWS:
        if velocity.shape[1] < window:
            continue
        made, true = (magnitudes(x, fps, window) for x in (velocity, target))
        distances.append(((made + FLOOR).log() - (true + FLOOR).log()).abs().mean())
    return torch.stack(distances).mean() if distances else velocity.new_zeros(())


def magnitudes(velocity: Tensor, fps: float, window: int) -> Tensor:
    """Magnitudes (b, n, j, f) in m/s of velocities (b, t, j, d): an oscillation of amplitude a along a line has a.

    window: frames of each of the n Hann windows, which overlap by three quarters.
    """
    pieces = velocity.unfold(1, window, window // 4)  #              b n j d w
    hann = torch.hann_window(window, device=velocity.device)
    bins = 1 + int(HIGHEST * window / fps)
    spectrum = torch.fft.rfft(pieces * hann)[..., :bins].abs() * (2 / hann.sum())
    return (spectrum.square().sum(dim=-2) + 1e-12).sqrt()  #         b n j f


def as_the_heading_sees(features: Tensor, fps: float, layout: Layout) -> tuple[Tensor, Tensor]:
    """Joint positions (b, t, j, 3) relative to the pelvis' place on the floor, and velocities (b, t - 1, j, 3), in the
    heading.
    """
    world = positions_from_features(features, fps, layout=layout)  #  b t j 3, or 2
    velocity = world.diff(dim=1) * fps
    if layout.dimensions == 2:
        return world, velocity
    back = rotation.about("y", -heading_of(layout.split(features), fps))[:, :, None]  # b t 1 4
    floor = world[:, :, :1] * world.new_tensor((1.0, 0.0, 1.0))
    return rotation.rotate(back, world - floor), rotation.rotate(back[:, 1:], velocity)


class MotionVAEPhase(AutoencoderPhase):
    """Trains the motion autoencoder to decode bodies, and its latents to go with the rhythm of their music."""

    def __init__(self, part: str, vae: NormalisedVAE, model: Config, config: MotionVAEConfig) -> None:
        motion, music = model.modalities["motion"], model.modalities["music"]
        contrast = RhythmicContrast(
            motion.autoencoder.latent_channels,
            music.autoencoder.latent_channels,
            clips=config.contrast_clips,
            temperature=config.temperature,
        )
        super().__init__(part, vae, config, {"contrast": contrast})
        self.weights = config
        self.fps, self.layout = motion.fps, layout_named(motion.representation)

    def further(self, decoded: Tensor, latents: Tensor, batch: dict, generator: torch.Generator) -> dict[str, Tensor]:
        c = self.weights
        with torch.autocast(decoded.device.type, enabled=False):
            body = body_losses(decoded.float(), batch["features"], self.fps, self.layout, c.spectrum > 0)
        losses = {name: getattr(c, name) * value for name, value in body.items()}
        if c.rhythm and not c.decoder_only:  # it is about the latents
            contrast = self.networks["contrast"]
            losses["rhythm"] = c.rhythm * contrast(latents, batch["music"], batch["amplitude"], generator)
        return losses


class MotionVAETask(AutoencoderTask):
    """Trains the motion autoencoder.

    clips: by split, dicts with ``features`` (t, c), ``music`` (t', z) and ``amplitude`` (t',).
    """

    def __init__(self, model: Config, config: MotionVAEConfig, clips: dict[str, list[dict]]) -> None:
        self.layout, self.fps = layout_named(model.modalities["motion"].representation), model.modalities["motion"].fps
        self.weights = config
        super().__init__(model, "motion", config, clips, part="motion_vae")
        self.name, self.phases = "motion-vae", {"motion": self.phases["motion_vae"]}

    def phase(self, vae: NormalisedVAE) -> MotionVAEPhase:
        return MotionVAEPhase(self.part, vae, self.model, self.weights)

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        vae, features = self.held_out(phases, 24)
        latents = vae.encode(features).mode()
        body = body_losses(vae.decode(latents).float(), features, self.fps, self.layout, spectrum=True)
        found = {
            "position_cm": 100 * float(body["positions"]),
            "velocity_m_s": float(body["velocity"]),
            "spectrum_nepers": float(body["spectrum"]),
            "latent_std": float(latents.std()),
        }
        if "feet" in body:
            own = body_losses(features, features, self.fps, self.layout)
            found |= {"feet_m_s": float(body["feet"]), "feet_source_m_s": float(own["feet"])}
        return found

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        vae, features = self.held_out(phases, 1)
        decoded = vae.decode(vae.encode(features).mode()).float()
        bodies = [positions_from_features(x, self.fps, layout=self.layout)[0].cpu() for x in (features, decoded)]
        return {"motion": motion_picture(bodies, layout=self.layout)}
