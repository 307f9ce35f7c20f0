import dataclasses

import pytest

from core import config
from core.config import Modality, TheatreConfig, VAEConfig
from core.motion.layouts import LAYOUTS, Layout

LIGHT = Layout("some-light", (("level", 4, "0-1"), ("hue", 2, "a unit vector")), joints=(), parents=())


@pytest.fixture(scope="session")
def shape():
    """The tiny preset with a theatre that has no denoisers, and six channels of light."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(LAYOUTS, LIGHT.name, LIGHT)
        tiny = config.preset("tiny")
        channels = VAEConfig(channels=6, latent_channels=6, halvings=0, kind="identity")
        theatre = TheatreConfig(
            width=16, blocks=1, encoder_heads=2, slice_frames=8, timbre=12, filters=2, graph_width=4, graph_layers=2,
            style=6, picture_filters=2, looks=("noir", "disco"), space=8, heads=8, steering=16,
        )  # fmt: skip
        yield dataclasses.replace(
            tiny,
            modalities={**tiny.modalities, "light": Modality(LIGHT.name, tiny.latent_fps, channels)},
            theatre=theatre,
        )
