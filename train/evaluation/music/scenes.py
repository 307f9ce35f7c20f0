"""What composers are measured on: held-out motions with the music that they were paired with, and training music."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from core.audio.beat_tracking import track_beats
from core.errors import FootlightError
from core.formats.motion import MotionClip, clip_of
from core.metrics import beat
from core.motion.resample import at_times, resample
from core.rhythm import target
from core.types import Beats, Motion, Waveform
from train.data.dataset import SONGS, Pair, load_song_records
from train.data.rates import AUDIO_RATE, MEL_FPS
from train.data.shards import read_index
from train.evaluation.cache import Music
from train.evaluation.dance.material import SHORTEST_PAIR, tempo_of, val_dances

TRAINING_SECONDS = 30.0  # taken from the middle of every training song, for distances


@dataclass(frozen=True, eq=False)
class Scene:
    """A held-out motion and its music.

    unit: the captured clip, by which scenes are resampled.
    number: its place.
    grid: the beats of the music, onto which the motion was warped.
    """

    name: str
    unit: str
    genre: str
    number: int
    clip: MotionClip
    music: Music
    grid: Beats

    @property
    def seconds(self) -> float:
        return self.clip.seconds

    @property
    def motion(self) -> Motion:
        assert self.clip.motion is not None
        return self.clip.motion

    @property
    def tempo(self) -> float:
        """Beats a minute of the grid."""
        return tempo_of(self.grid, self.seconds)

    @cached_property
    def heard(self) -> Beats:
        """The beats that are tracked in the real music."""
        return track_beats(self.music.sound)

    @cached_property
    def onsets(self) -> Tensor:
        """The onsets of the real music (n,) in seconds."""
        return beat.music_onsets(self.music.sound)

    @cached_property
    def pulse(self) -> Beats:
        """The beats, with bars, that a composer finds in the motion."""
        return target.rhythm_target(self.clip.positions, self.clip.fps).beats

    @cached_property
    def digest(self) -> str:
        """A digest of the movement, which is all that a composer gets."""
        return digest_of(self.motion)


def digest_of(motion: Motion) -> str:
    """A digest of a motion's numbers."""
    parts = (motion.rotations, motion.root, torch.tensor(motion.fps, dtype=torch.float64))
    return hashlib.sha256(b"".join(part.contiguous().numpy().tobytes() for part in parts)).hexdigest()


def scenes(data: Path, fps: float, most: int | None = None) -> list[Scene]:
    """The scenes of ``val_dances``, at ``fps``.

    most: how many at most. Different clips come before tempo bands of one clip.

    Raises FootlightError for data without waveforms, and when no pair is long enough.
    """
    pairs = val_dances(data, waveforms=True)
    if not pairs:
        raise FootlightError(f"{data}: no val pair of dance lasts {SHORTEST_PAIR:g} s; prepare some that do")
    return [_scene(pair, number, fps) for number, pair in enumerate(spread(pairs)[:most])]


def spread(pairs: list[Pair]) -> list[Pair]:
    """The pairs in another order: the first of every captured clip, then the second in another band, and so on."""
    by_clip: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_clip.setdefault(pair.motion_name, []).append(pair)
    turned = [ours[place % len(ours) :] + ours[: place % len(ours)] for place, ours in enumerate(by_clip.values())]
    longest = max(len(ours) for ours in turned)
    return [ours[place] for place in range(longest) for ours in turned if place < len(ours)]


def _scene(pair: Pair, number: int, fps: float) -> Scene:
    clip = clip_of(resample(pair.motion(), fps))
    assert pair.wave is not None
    grid = pair.grid()
    return Scene(pair.id, pair.motion_name, pair.genre, number, clip, Music(pair.wave, AUDIO_RATE), grid)


def at_tempo(scene: Scene, tempo: float) -> Motion:
    """The scene's motion at a speed that gives it ``tempo`` beats a minute."""
    speed = tempo / scene.tempo
    fps = scene.clip.fps
    frames = int((scene.clip.frames - 1) / speed) + 1
    return at_times(scene.motion, torch.arange(frames, dtype=torch.float64) / fps * speed, fps)


@dataclass(frozen=True, eq=False)
class TrainingMusic:
    """The training songs of a prepared folder. Their sound is read when it is needed."""

    folder: Path

    @cached_property
    def lines(self) -> list[dict]:
        """The index lines of the songs with a tempo."""
        return [line for line in read_index(self.folder / SONGS) if line["split"] == "train" and line["tempo"] > 0]

    @cached_property
    def mels(self) -> list[Tensor]:
        """Log-mels (t, m) of ``TRAINING_SECONDS`` from the middle of every song."""
        most = round(TRAINING_SECONDS * MEL_FPS)
        found = []
        for song in load_song_records(self.folder, "train"):
            start = max(0, (len(song.mel) - most) // 2)
            found.append(song.mel[start : start + most].clone())
        return found

    def nearest(self, tempo: float, seconds: float, rank: int) -> dict:
        """The index line of the song with the nearest tempo that lasts ``seconds``.

        rank: 0 is the nearest, 1 the next, and so on.

        Raises FootlightError when no song is long enough.
        """
        long = [line for line in self.lines if line["frames"] / MEL_FPS >= seconds]
        if not long:
            raise FootlightError(f"{self.folder}: no training song lasts {seconds:.1f} s")
        ordered = sorted(long, key=lambda line: (abs(line["tempo"] / tempo - 1), line["id"]))
        return ordered[rank % len(ordered)]

    def excerpt(self, line: dict, wanted: float, seconds: float, first_beat: float | None = None) -> Music:
        """``seconds`` of a song.

        wanted: where it begins, as a share of where it can begin.
        first_beat: a downbeat should fall on this second. The excerpt begins at the next place that allows it, or else
            at the last.
        """
        song = load_song_records(self.folder, "train", waveforms=True, only=line["id"])[0]
        assert song.wave is not None
        latest = len(song.wave) / AUDIO_RATE - seconds
        start = wanted * max(latest, 0.0)
        if first_beat is not None:
            downbeats = song.beats[song.downbeats] if bool(song.downbeats.any()) else song.beats
            entrances = downbeats.double() - first_beat
            entrances = entrances[(entrances >= 0) & (entrances <= latest)]
            if len(entrances):
                later = entrances[entrances >= start]
                start = float(later[0] if len(later) else entrances[-1])
        first = round(start * AUDIO_RATE)
        return Music(song.wave[first : first + round(seconds * AUDIO_RATE)].clone(), AUDIO_RATE)


def held_out_songs(data: Path, seconds: float) -> dict[str, Waveform]:
    """``seconds`` from the middle of every val song, by name."""
    found = {}
    for song in load_song_records(data, "val", waveforms=True):
        assert song.wave is not None
        length = min(len(song.wave), round(seconds * AUDIO_RATE))
        start = (len(song.wave) - length) // 2
        found[song.id] = Music(song.wave[start : start + length].clone(), AUDIO_RATE).sound
    return found
