"""What a run has encoded is not encoded again."""

import pytest
import torch

from core.autoencoder.networks import autoencoder_of
from core.config import preset
from train.data.encoder import Encoder, encoded


def autoencoder(seed):
    torch.manual_seed(seed)
    return autoencoder_of(preset("tiny").modalities["motion"]).eval()


@pytest.fixture
def vae(monkeypatch):
    """An autoencoder that counts the clips that it encodes."""
    vae = autoencoder(0)
    encode, vae.asked = vae.encode_long, 0

    def counted(frames):
        vae.asked += 1
        return encode(frames)

    monkeypatch.setattr(vae, "encode_long", counted)
    return vae


def clips(count):
    made = torch.Generator().manual_seed(0)
    channels = preset("tiny").modalities["motion"].autoencoder.channels
    return [torch.randn(20 + n, channels, generator=made) for n in range(count)]


def test_every_clip_is_encoded_once(vae, tmp_path):
    some = clips(3)
    with Encoder(vae, tmp_path) as encoder:
        first = [encoder(clip) for clip in (*some, some[0])]
    with Encoder(vae, tmp_path) as encoder:
        again = [encoder(clip) for clip in some]
    assert vae.asked == 3
    for latents, known, clip in zip(again, first, some, strict=False):
        assert torch.equal(latents, known) and torch.equal(latents, encoded(autoencoder(0), clip))


def test_an_interrupted_run_keeps_what_it_has(vae, tmp_path):
    some = clips(3)

    def interrupted():
        with Encoder(vae, tmp_path) as encoder:
            encoder(some[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with Encoder(vae, tmp_path) as encoder:
        for clip in some:
            encoder(clip)
    assert vae.asked == 3


def test_other_weights_have_latents_of_their_own(vae, tmp_path):
    clip, other = clips(1)[0], autoencoder(1)
    with Encoder(vae, tmp_path) as encoder:
        encoder(clip)
    with Encoder(other, tmp_path) as encoder:
        assert torch.equal(encoder(clip), encoded(other, clip))
    assert len(list(tmp_path.iterdir())) == 2


def test_without_a_folder_nothing_is_kept(vae):
    with Encoder(vae) as encoder:
        assert torch.equal(encoder(clips(1)[0]), encoder(clips(1)[0]))
    assert vae.asked == 2


def test_what_was_damaged_is_encoded_again(vae, tmp_path):
    (clip,) = clips(1)
    for _ in range(2):
        with Encoder(vae, tmp_path) as encoder:
            latents = encoder(clip)
        (kept,) = tmp_path.iterdir()
        kept.write_bytes(kept.read_bytes()[:50])
    assert vae.asked == 2 and torch.equal(latents, encoded(autoencoder(0), clip))
