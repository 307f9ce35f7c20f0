"""Motion and music that were recorded together, where nothing has to be chosen or warped.

A user's are ``NAME.bvh`` (or .npz, .npy, .pkl) beside ``NAME.wav``, or named in a list (``pair_list``). Data sets of
such takes share the rest of this module.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections import Counter
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path

import torch
from torch import Tensor

from core.audio import io
from core.errors import FootlightError, warn
from core.files import file_digest
from core.formats import array_files
from core.formats.foreign import check_rest
from core.formats.motion import advice, check_fps
from train.data.dataset import motion_tensors
from train.data.jobs import Job, Records
from train.data.motion.sources import load
from train.data.music.songs import cut, heard, stored, with_waveforms
from train.data.pairing import pair_list
from train.data.pairing.matching import SHORTEST_SECONDS
from train.data.pairing.pairs import index_line
from train.data.rates import AUDIO_RATE, MEL_FPS, MOTION_FPS
from train.data.shards import key, slug

AUDIO = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".m4a", ".aac", ".wma", ".webm", ".mp4", ".mov")
"""Endings of music, the best first. Those from .m4a on need ffmpeg, without which they are refused in so many words."""
CAPTURES = (".bvh", *array_files.SUFFIXES)
VAL_ONE_IN = 10  # captures
TEMPO_TOLERANCE = 0.04  # relative
LOST_SECONDS = 1.0  # of a motion beyond its music, from which on it is said
WRONG_RATES = (2.0, 4.0)  # times its motion that music lasts where a capture is read too fast
RATE_TOLERANCE = 0.005  # relative, of these


@dataclass(frozen=True)
class Take:
    """One recording of a motion with its music.

    id: of the record.
    name: for people.
    group: takes of one group belong to one split.
    tempo: the music's own in beats a minute, or 0 when it is unknown. When the tracked tempo is off by more than
        ``TEMPO_TOLERANCE``, the beats are laid evenly at this one.
    start: second of the motion at which the music begins; negative where it was playing already.
    alone: whether this is all the music that the motion was recorded with.
    """

    id: str
    name: str
    genre: str
    split: str
    group: str
    tempo: float = 0.0
    start: float = 0.0
    alone: bool = True


@dataclass(frozen=True)
class Together:
    """Files that a user says were recorded together.

    name: of the take, for people.
    record: what tells it from all others of the user.
    genre, start, alone: as of ``Take``.
    """

    capture: Path
    song: Path
    name: str
    record: str
    genre: str
    start: float = 0.0
    alone: bool = True


@dataclass(frozen=True)
class Reading:
    """How captures are read that do not say it themselves.

    fps: frames per second of files without a frame rate.
    rest: the T-pose of BVH files, as ``core.formats.foreign.body_of`` takes it.
    """

    fps: float | None = None
    rest: str | None = None

    def check(self) -> None:
        """Raises FootlightError for a frame rate out of bounds, or a rest pose that does not exist."""
        if self.fps is not None:
            check_fps(self.fps)
        check_rest(self.rest)


def user_jobs(
    source: Path, out: Path, waveforms: bool = False, reading: Reading | None = None
) -> tuple[list[Job], list[dict]]:
    """A job for every motion that has music, and ``{"source", "reason"}`` of what is left out.

    source: a folder, as of ``beside``, or a list, as of ``pair_list``.
    waveforms: keep the music's samples.
    reading: of the captures; None leaves all to the files.

    Raises FootlightError when there is nothing to use, and as ``Reading.check`` does.
    """
    reading = reading or Reading()
    reading.check()
    together, dropped = listed(source) if source.is_file() else beside(source)
    digest_of = lru_cache(maxsize=None)(file_digest)  # a song may serve dozens of takes
    jobs = []
    for one in together:
        name = record_name(one.record)
        take = Take(name, one.name, one.genre, split_of(one.name), f"own-{one.name}", 0.0, one.start, one.alone)
        asked = {name: value for name, value in asdict(reading).items() if value is not None}
        asked |= ({"start": one.start} if one.start else {}) | ({} if one.alone else {"alone": False})
        made_from = digest_of(one.capture), digest_of(one.song), one.name, one.genre
        digest = key("own", *made_from, *([asked] if asked else []))
        make = partial(recorded_pair, one.capture, one.song, take, waveforms, reading=reading)
        jobs.append(Job(str(one.capture), shard_of(out, take), with_waveforms(digest, waveforms), make))
    return jobs, dropped


def beside(folder: Path) -> tuple[list[Together], list[dict]]:
    """Every motion under ``folder`` beside which there is music, and ``{"source", "reason"}`` of the others.

    Of several files of one name, the first is taken in the order of ``CAPTURES`` and ``AUDIO``. A folder within
    ``folder`` names the genre of what it holds. Hidden files are passed over: macOS puts "._NAME" beside every NAME.

    Raises FootlightError when there is no motion.
    """
    if not folder.is_dir():
        raise FootlightError(
            f"{folder}: no such folder; --pairs takes a folder of NAME.bvh beside NAME.wav, or a list in a CSV file"
        )
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    captures, music = _by_stem(files, CAPTURES), _by_stem(files, AUDIO)
    found, dropped = [], []
    for stem, path in captures.items():
        song = music.get(stem)
        name = path.relative_to(folder).with_suffix("").as_posix()
        if song is None:
            reason = f"no music beside it (looked for {_wanted(path, AUDIO)}){_or_listed(files)}"
            dropped.append({"source": str(path), "reason": reason})
            continue
        genre = path.parent.name if path.parent != folder else "own"
        found.append(Together(path, song, name, name, genre))
    dropped += [
        {"source": str(path), "reason": f"no motion beside it (looked for {_wanted(path, CAPTURES)}){_instead(path)}"}
        for path in files
        if path.suffix.lower() in AUDIO and path.with_suffix("") not in captures
    ]
    if not captures:
        kinds = ", ".join(CAPTURES)
        raise FootlightError(f"{folder}: holds no {kinds} file; --pairs takes a folder of NAME.bvh beside NAME.wav")
    return found, dropped


def listed(path: Path) -> tuple[list[Together], list[dict]]:
    """What a list says, and ``{"source", "reason"}`` of lines whose files are not there or of another kind.

    Without a genre in the list, the folder of a take names it. Raises FootlightError as ``pair_list.read`` does.
    """
    lines = pair_list.read(path)
    times = Counter(one.take for one in lines)
    found, dropped = [], []
    for one in lines:
        if reason := _unusable(one.take, CAPTURES) or _unusable(one.song, AUDIO):
            dropped.append({"source": f"{path}, line {one.line}", "reason": reason})
            continue
        name = _from(path.parent, one.take).with_suffix("").as_posix()
        genre = one.genre or (one.take.parent.name if one.take.parent != path.parent else "own")
        record = f"{name} {one.song.stem} {one.start:g}"
        found.append(Together(one.take, one.song, name, record, genre, one.start, times[one.take] == 1))
    return found, dropped


def _from(folder: Path, path: Path) -> Path:
    """The way from a folder to a file; on Windows there is none to another drive."""
    try:
        return Path(os.path.relpath(path, folder))
    except ValueError:
        return path


def _unusable(path: Path, suffixes: tuple[str, ...]) -> str:
    """Why a file of a list cannot be used; "" if it can."""
    if not path.is_file():
        return f"{path}: no such file; paths count from the folder of the list"
    if path.suffix.lower() not in suffixes:
        return f"{path}: expected {', '.join(suffixes)}" + (f"; {advice(path)}" if advice(path) else "")
    return ""


def _or_listed(files: list[Path]) -> str:
    """A hint to lists that lie in a folder of captures."""
    lists = [path.name for path in files if path.suffix.lower() in pair_list.SUFFIXES[:2]]
    return f"; if {lists[0]} says which it is, give that file to --pairs" if lists else ""


def _wanted(path: Path, suffixes: tuple[str, ...]) -> str:
    """The files that would belong to ``path``, in words."""
    return f"{path.stem}{suffixes[0]}, {', '.join(suffixes[1:])}"


def _instead(song: Path) -> str:
    """What lies beside a song and is not taken for its motion, with what to do."""
    if any(song.with_suffix("").glob("*.json")):
        return f"; the folder {song.stem} seems to hold OpenPose files, which are flat: training needs motion in space"
    beside = (path for path in sorted(song.parent.glob("*")) if path.stem == song.stem)
    return next((f"; of {path.name}: {advice(path)}" for path in beside if advice(path)), "")


def in_our_options(text: str) -> str:
    """What a reader of captures says, with the options of this program by their names."""
    return text.replace("give fps", "give --pairs-fps").replace("give rest", "give --pairs-rest")


def _by_stem(files: list[Path], suffixes: tuple[str, ...]) -> dict[Path, Path]:
    """The files of certain kinds by path without suffix, of each the one whose suffix comes first."""
    found: dict[Path, Path] = {}
    for path in sorted((path for path in files if path.suffix.lower() in suffixes), key=lambda p: p.with_suffix("")):
        other = found.setdefault(path.with_suffix(""), path)
        if suffixes.index(path.suffix.lower()) < suffixes.index(other.suffix.lower()):
            found[path.with_suffix("")] = path
    return found


def shard_of(out: Path, take: Take) -> Path:
    """The path of a take's shard."""
    return out / f"pairs-{take.split}-{take.id}.safetensors"


def record_name(name: str) -> str:
    """The name of a capture's shard and record. Different captures get different names ("a/b" and "a_b" too)."""
    return f"own-{slug(name)}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def split_of(name: str) -> str:
    """``val`` for one capture in ten. It depends on the name alone, so a capture never changes sides."""
    return "val" if hashlib.sha256(name.encode()).digest()[0] % VAL_ONE_IN == 0 else "train"


@lru_cache(maxsize=4)
def _heard(song: Path, tempo: float) -> tuple[dict[str, Tensor], float]:
    """The whole song as a record's tensors, and its tempo. Cached, as many takes are danced to one song."""
    parts, tracked = heard(io.read(song, AUDIO_RATE))
    if not tempo or abs(tracked / tempo - 1) <= TEMPO_TOLERANCE:
        return parts, tracked
    beats = steady_beats(parts["onset"], tempo)
    return parts | {"beats": beats, "downbeats": torch.zeros(len(beats), dtype=torch.bool)}, tempo


def steady_beats(onset: Tensor, tempo: float) -> Tensor:
    """Beats (n,) in seconds at exactly ``tempo`` beats a minute, at the phase where most onset strength (t,) lies on
    them.
    """
    seconds, period = len(onset) / MEL_FPS, 60 / tempo
    phases = torch.arange(0, period, 0.5 / MEL_FPS, dtype=torch.float64)
    beats = torch.arange(0, seconds - period, period, dtype=torch.float64)
    frames = ((phases[:, None] + beats) * MEL_FPS).round().long().clamp_max(len(onset) - 1)
    first = float(phases[int(onset[frames].mean(1).argmax())])
    return torch.arange(first, seconds, period, dtype=torch.float64).float()


def recorded_pair(
    motion_path: Path, song_path: Path, take: Take, waveforms: bool, shard: str, reading: Reading | None = None
) -> Records:
    """The record of one take and its music, from where both go on to the end of the shorter. Raises FootlightError for
    unusable files.
    """
    source = load(motion_path, asdict(reading or Reading()))
    if source.report["dropped"]:
        raise FootlightError(source.report["dropped"])
    motion = source.motion
    parts, tempo = _heard(song_path, take.tempo)
    first = math.ceil(max(0.0, take.start) * MOTION_FPS)  # frame of the motion from which on there is music
    into = first / MOTION_FPS - take.start  # seconds of the music at that frame
    heard_frames = (len(parts["mel"]) - round(into * MEL_FPS)) // 2
    frames = max(0, min(motion.frames - first, heard_frames))
    if take.alone:
        _warn_of_lengths(motion_path, (motion.frames - first) / MOTION_FPS, heard_frames / MOTION_FPS, take.start)
    if frames / MOTION_FPS < SHORTEST_SECONDS:
        raise FootlightError(
            f"motion and music share only {frames / MOTION_FPS:.1f} s{_with_start(take)}; at least "
            f"{SHORTEST_SECONDS:g} s are needed"
        )
    section = stored(cut(parts, into, frames / MOTION_FPS), waveforms)
    line = index_line(
        name=take.id,
        shard=shard,
        split=take.split,
        motion=take.name,
        music=song_path.name,
        genre=take.genre,
        group=take.group,
        tempo=tempo,
        frames=frames,
        exact=False,
        error_cm=source.report["error_cm"],
    )
    return [(line, {**section, **motion_tensors(motion.cut(first, first + frames))})]


def _with_start(take: Take) -> str:
    return f" where the music starts at second {take.start:g} of the motion" if take.start else ""


def _warn_of_lengths(path: Path, lasts: float, music: float, start: float) -> None:
    """Warn the user about seconds of a motion, and of its music, that let doubt that they were recorded together.

    start: as of ``Take``.
    """
    since = f" from second {start:g} on" if start > 0 else ""
    if lasts > music + LOST_SECONDS:
        warn(
            f"{path}: lasts {lasts:.1f} s{since}, and its music {max(0.0, music):.1f} s; "
            "what is longer is left out. If they were recorded together, the frame rate may be wrong"
        )
    longer = music / lasts if lasts > 0 else 0.0
    if not start and any(abs(longer / times - 1) <= RATE_TOLERANCE for times in WRONG_RATES):
        warn(
            f"{path}: lasts {lasts:.1f} s, and its music {longer:.0f} times as long; if "
            "they were recorded together, the frame rate may be wrong"
        )
