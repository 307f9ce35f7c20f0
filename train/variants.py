"""Variants of a preset for baselines and ablations, by the flags of ``train.fit``.

For motion, ``--layout`` chooses another representation and ``--network unet`` another denoiser of the same size. The
weight ``--motion-vae.task.rhythm 0`` turns rhythmic contrast off. For music, ``--music waveform`` is MoMu-Diffusion's
ablation of the mel. ``--latents none --music features35 --no-rhythm`` is the model of EDGE (Tseng, Castellon & Liu,
CVPR 2023) with our denoiser, losses and data: diffusion on the motion features themselves, conditioned only on 35
hand-made features of the music (core.audio.features35).
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

from core.config import Config, Modality, SignalConfig, TheatreConfig, VAEConfig, both_ways, with_theatre
from core.diffusion.networks import NETWORKS, as_unet
from core.errors import FootlightError
from core.motion.layouts import BODY_LAYOUTS, layout_named


def motion_side(
    config: Config,
    layout: str | None = None,
    network: str | None = None,
    prediction: str | None = None,
    skip: bool | None = None,
) -> Config:
    """The configuration with another motion representation, another denoiser of the same size, or both.

    layout: one of ``BODY_LAYOUTS`` in ``core.motion.layouts``. The motion autoencoder takes its channels.
    network: a name in ``core.diffusion.networks``.
    prediction: what the motion denoiser predicts, a name in ``core.diffusion.parameterize``.
    skip: whether the noisy latents also reach the output of the motion denoiser directly.

    None changes nothing. Raises FootlightError for unknown names, and for a Transformer to be made from a U-Net, whose
    size is not known any more.
    """
    if layout is not None:
        if layout not in BODY_LAYOUTS:
            raise FootlightError(f"unknown layout of motion {layout!r}: choose one of {', '.join(BODY_LAYOUTS)}")
        motion = config.modalities["motion"]
        autoencoder = replace(motion.autoencoder, channels=layout_named(layout).channels)
        motion = replace(motion, representation=layout, autoencoder=autoencoder)
        config = replace(config, modalities={**config.modalities, "motion": motion})
    denoiser = config.denoisers["motion"]
    if "rotations" not in layout_named(config.modalities["motion"].representation).slices:
        denoiser = replace(denoiser, observed_parts=1)  # its channels do not belong to single parts of the body
    if prediction is not None and prediction != config.prediction("motion"):
        denoiser = replace(denoiser, prediction=prediction)
    if skip is not None:
        denoiser = replace(denoiser, skip=skip)
    config = replace(config, denoisers={**config.denoisers, "motion": denoiser})
    if network is None or network == denoiser.kind:
        return config
    if network == "unet":
        varied = replace(config, denoisers={**config.denoisers, "motion": as_unet(denoiser)})
        return with_scorer(varied, "music" in config.denoisers)
    known = network in NETWORKS
    raise FootlightError(
        f"a {network} was asked for, but this configuration has a {denoiser.kind}: start from a preset"
        if known
        else f"unknown denoiser {network!r}: choose one of {', '.join(NETWORKS)}"
    )


def with_scorer(config: Config, wanted: bool) -> Config:
    """The configuration with a denoiser of music shaped like that of motion, or without one. It needs music as mels."""
    mel = config.modalities["music"].representation == "mel"
    if wanted and mel:
        return both_ways(config)
    return replace(
        config,
        denoisers={name: denoiser for name, denoiser in config.denoisers.items() if name != "music"},
        vocoder=config.vocoder if mel else None,
    )


def check_motion_side(
    config: Config,
    layout: str | None = None,
    network: str | None = None,
    prediction: str | None = None,
    skip: bool | None = None,
) -> None:
    """Raises FootlightError when an existing run has another representation or denoiser than is asked for."""
    for what, asked, has in (
        ("layout", layout, config.modalities["motion"].representation),
        ("network", network, config.denoisers["motion"].kind),
        ("prediction", prediction, config.prediction("motion")),
        ("skip", skip, config.denoisers["motion"].skip),
    ):
        if asked is not None and asked != has:
            raise FootlightError(f"this run has {what} {has}, not {asked}: give --out a new folder")


def distilled(config: Config, modality: str, steps: int, context_entry: str = "added") -> Config:
    """The configuration with a student of one of its denoisers, with guidance inside.

    config: of the teacher.
    modality: what the denoiser generates.
    steps: of the student.
    context_entry: of the student's network.

    Raises FootlightError for a denoiser that is missing, or a student itself.
    """
    if modality not in config.denoisers:
        raise FootlightError(f"the teacher makes no {modality}: choose another")
    if config.denoisers[modality].guided:
        raise FootlightError(f"the teacher's denoiser of {modality} is a student itself: choose its teacher")
    student = replace(config.denoisers[modality], context_entry=context_entry, guided=True)
    sampling = replace(config.sampling[modality], sampler="ddim", steps=steps)
    return replace(
        config,
        denoisers={**config.denoisers, modality: student},
        sampling={**config.sampling, modality: sampling},
        teachers={},
    )


def distilled_theatre(
    config: Config, steps: int, context_entry: str = "added", learn: Collection[str] = ("motion", "light")
) -> Config:
    """The configuration with a student of its theatre, with guidance inside, and no coarse samples at first.

    config: of the teacher. It may be a student itself, if the new one takes fewer steps: progressive distillation
        (Salimans and Ho 2022).
    steps: of the student.
    context_entry: of the student's dancer. Contexts of the light stay as they are.
    learn: which of "motion" and "light" become students. The other one stays as it is.

    Raises FootlightError without a theatre, and for one that takes so few steps already.
    """
    theatre = config.theatre
    if theatre is None:
        raise FootlightError("the teacher has no theatre: choose another")
    students = [theatre.sampling[name].steps for name in learn if theatre.denoisers[name].guided]
    if students and max(students) <= steps:
        took = max(students)
        raise FootlightError(f"the teacher's theatre is a student of {took} steps itself: choose its teacher")
    denoisers = theatre.denoisers | {name: replace(theatre.denoisers[name], guided=True) for name in learn}
    if "motion" in learn:
        denoisers["motion"] = replace(denoisers["motion"], context_entry=context_entry)
    sampling = {name: replace(theatre.sampling[name], sampler="ddim", steps=steps) for name in learn}
    coarse = 1.0 if "motion" in learn else theatre.coarse
    student = replace(theatre, coarse=coarse, denoisers=denoisers, sampling=theatre.sampling | sampling)
    return replace(config, theatre=student, teachers={})


def theatre_is_student(config: Config) -> bool:
    """Whether the configuration has a theatre that was distilled."""
    return config.theatre is not None and any(denoiser.guided for denoiser in config.theatre.denoisers.values())


def theatre_anew(config: Config) -> Config:
    """The configuration with a theatre to be trained: of the same size, no student, and with all that its light can be
    told.
    """
    assert config.theatre is not None
    return with_theatre(
        config, config.theatre.looks, replace(config.theatre, coarse=TheatreConfig.coarse, answer=TheatreConfig.answer)
    )


def light_anew(config: Config) -> Config:
    """The configuration with a light to be trained for the dancer of its theatre, who stays, even as a student."""
    theatre, anew = config.theatre, theatre_anew(config).theatre
    assert theatre is not None and anew is not None
    dancer = replace(theatre.denoisers["motion"], styles=len(config.styles))
    took = theatre.sampling["light"]  # the light takes as many steps as the dancer whom it hears
    sampling = replace(anew.sampling["light"], sampler=took.sampler, steps=took.steps)
    return replace(
        config,
        theatre=replace(
            anew,
            coarse=theatre.coarse,
            denoisers={**anew.denoisers, "motion": dancer},
            sampling={**theatre.sampling, "light": sampling},
        ),
    )


def music_side(config: Config, music: str | None = None, latents: str | None = None, rhythm: bool = True) -> Config:
    """The configuration with another music representation, without motion latents, or without rhythm conditioning.

    The rates follow: music comes at the rate of the latents, and windows keep their seconds. Applying this twice
    changes nothing more.

    music: one of ``core.config.MUSIC``, or None for no change.
    latents: "none" replaces the motion autoencoder by an identity. "vae" and None change nothing.
    rhythm: False conditions the denoiser on nothing besides the music.

    Raises FootlightError for what the configuration cannot become.
    """
    motion, heard = config.modalities["motion"], config.modalities["music"]
    if latents == "vae" and motion.autoencoder.kind == "identity":
        raise FootlightError("this configuration has no motion autoencoder to keep: start from a preset")
    if latents == "none":
        motion = replace(motion, autoencoder=identity(motion.autoencoder.channels))
    signal, heard = _music(config, music or heard.representation, motion.latent_fps)
    denoiser, sampling = config.denoisers["motion"], config.sampling["motion"]
    denoiser = replace(
        denoiser,
        latent_channels=motion.autoencoder.latent_channels,
        context={"music": heard.autoencoder.latent_channels},
        rhythm_channels=denoiser.rhythm_channels if rhythm else 0,
    )
    longer = motion.latent_fps / config.latent_fps
    sampling = replace(sampling, window=round(sampling.window * longer), overlap=round(sampling.overlap * longer))
    varied = replace(
        config,
        signal=signal,
        modalities={**config.modalities, "motion": motion, "music": heard},
        denoisers={"motion": denoiser},
        sampling={**config.sampling, "motion": sampling},
    )
    if varied == replace(config, denoisers={"motion": config.denoisers["motion"]}):
        return config
    return with_scorer(varied, "music" in config.denoisers)


def identity(channels: int) -> VAEConfig:
    """The configuration of no autoencoder: diffusion on the features themselves (core.autoencoder.identity)."""
    return VAEConfig(channels=channels, latent_channels=channels, halvings=0, kind="identity")


THEATRE = ("nothing", "music", "attention", "beat", "style")
"""What the theatre paper's ablations leave out (section 5.4). "beat" is a loss and changes no configuration."""


def theatre_side(config: Config, without: str) -> Config:
    """The configuration of a theatre without one of its parts. Applying this twice changes nothing more.

    Without music, neither denoiser hears music, rhythm or the scheduler. Without attention, the scheduler takes the
    mean of motion and light. Without style, neither denoiser nor the scheduler knows a look.

    without: one of ``THEATRE``.

    Raises FootlightError for what it cannot be without.
    """
    if without not in THEATRE:
        raise FootlightError(f"no theatre is known without {without!r}: choose one of {', '.join(THEATRE)}")
    assert config.theatre is not None
    theatre, denoisers = config.theatre, dict(config.theatre.denoisers)
    for name, denoiser in denoisers.items():
        if without == "music":
            context = {heard: channels for heard, channels in denoiser.context.items() if heard != "music"}
            denoisers[name] = replace(denoiser, context=context, rhythm_channels=0, steering_channels=0)
        elif without == "style":
            denoisers[name] = replace(denoiser, look_channels=0)
    theatre = replace(theatre, attention=theatre.attention and without != "attention", denoisers=denoisers)
    return replace(config, theatre=theatre)


def _music(config: Config, representation: str, fps: float) -> tuple[SignalConfig, Modality]:
    """The signal and the modality that bring the music to ``fps`` latents a second."""
    signal, autoencoder = config.signal, config.modalities["music"].autoencoder
    if representation == "features35":
        hop = signal.audio_rate / fps
        if hop != round(hop):
            raise FootlightError(
                f"{fps:g} latents a second are no whole number of samples at {signal.audio_rate} Hz: "
                "change the fps of motion"
            )
        signal = replace(signal, hop_samples=round(hop))
        return signal, Modality(representation, signal.mel_fps, identity(signal.channels(representation)))
    if autoencoder.kind == "identity":
        raise FootlightError(
            f"this configuration has no music autoencoder that could hear {representation}: start from a preset"
        )
    halvings = math.log2(signal.mel_fps / fps)
    if halvings != round(halvings) or not 0 <= halvings < len(autoencoder.multipliers):
        raise FootlightError(
            f"{representation} at {signal.mel_fps:g} frames a second cannot be brought to {fps:g} by halving at most "
            f"{len(autoencoder.multipliers) - 1} times: change the fps of motion"
        )
    channels = signal.channels(representation)
    autoencoder = replace(autoencoder, channels=channels, halvings=round(halvings))
    return signal, Modality(representation, signal.mel_fps, autoencoder)
