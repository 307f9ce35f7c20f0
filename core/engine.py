"""The worker behind the add-on: ``python -m core.engine``. JSON lines in, JSON lines out, arrays in files.

In:
    {"id": 1, "op": "dance", "song": PATH, "out": PATH, "start": 0, "seconds": null, "fps": 30, "seed": 0,
     "steps": null, "guidance": null, "beat_snap": 0.25, "style": null}      all but id, op, song and out may be absent
    {"id": 2, "op": "beats", "song": PATH, "start": 0, "seconds": null}
    {"id": 4, "op": "score", "motion": PATH, "out": PATH, "seed": 0, "steps": null, "guidance": null, "style": null,
     "stereo": true, "midi": null}    motion: any that core.formats.motion reads; out: wav, flac or ogg
    {"id": 5, "op": "duet", "seconds": 30, "out_motion": PATH, "out_music": PATH, "fps": 30, "seed": 0, "steps": null,
     "guidance": null, "switch": 0.5, "style": null, "beat_snap": 0.25, "stereo": true, "midi": null}
    {"id": 3, "op": "free"}           give the model's memory back; the next dance loads it again
    {"op": "cancel", "id": 1}         waiting or at work; a request that has ended is left alone
    {"op": "quit"}                    so does the end of the input
Out:
    {"type": "ready", "version": ..., "protocol": 1, "device": ...}          first, once
    {"type": "progress", "id": 1, "stage": ..., "fraction": 0-1}
    then for every request one of
    {"type": "done", "id": 1, ...}    dance: out, frames, fps, metrics, style, beats, downbeats, tempo; beats: the last
                                      three; score: out, seconds, rate, metrics and those; duet: out_motion, out_music,
                                      frames, fps, seconds, rate, metrics, style and those
    {"type": "cancelled", "id": 1}
    {"type": "error", "id": 1, "kind": "input" | "memory" | "internal" | "protocol", "message": one line}

Requests are answered in their order. The model is read with the first dance and kept. Standard output belongs to the
messages alone: whatever else is printed goes to standard error.

A dance's file is safetensors: rotations (t, 22, 4) wxyz, root (t, 3) metres, contacts (t, 4), beats (n,) seconds,
downbeats (n,); metadata, as text: format, fps, joints, parents and offsets (JSON), seed, model, engine, audio_sha256,
tempo, style where there is one. It appears whole or not at all.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import os
import queue
import sys
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path

import torch

from core import __version__, pipeline, progress
from core import config as configuration
from core.audio.beat_tracking import track_beats
from core.errors import FootlightError
from core.files import write_together
from core.formats.motion import read_motion
from core.types import Beats, Waveform

PROTOCOL = 1


class _Cancelled(Exception):
    """The request at work is not wanted any more."""


@dataclass(frozen=True, kw_only=True)
class DanceRequest(pipeline.DanceOptions):
    song: str
    out: str
    start: float = 0.0
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class ScoreRequest(pipeline.ScoreOptions):
    motion: str
    out: str
    stereo: bool = True
    midi: str | None = None


@dataclass(frozen=True, kw_only=True)
class DuetRequest(pipeline.DuetOptions):
    out_motion: str
    out_music: str
    stereo: bool = True
    midi: str | None = None


@dataclass(frozen=True)
class BeatsRequest:
    song: str
    start: float = 0.0
    seconds: float | None = None


@dataclass(frozen=True)
class FreeRequest:
    pass


class Engine:
    """Two threads: one reads requests and takes note of cancellations, the main one works.

    source: file descriptor to read from.  sink: file descriptor to write to.
    """

    def __init__(self, source: int, sink: int, model_folder: str | None, device: str) -> None:
        self._source, self._sink = source, sink
        self._model_folder, self._device = model_folder, device
        self._model: pipeline.Model | None = None
        self._waiting: queue.Queue[dict | None] = queue.Queue()
        self._lock = threading.Lock()
        self._open: dict[int | str, bool] = {}  # requests that have not ended, and whether they are cancelled
        self._current: int | str | None = None
        self._leaving = threading.Event()

    def serve(self) -> None:
        """Answer requests until told to quit or the input ends."""
        self._say(type="ready", version=__version__, protocol=PROTOCOL, device=str(pipeline.find_device(self._device)))
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        while (request := self._waiting.get()) is not None and not self._leaving.is_set():
            self._answer(request)

    def _say(self, **event) -> None:
        data = (json.dumps(event) + "\n").encode()
        with self._lock:
            try:
                while data:
                    data = data[os.write(self._sink, data) :]
            except OSError:  # nobody listens
                self._leaving.set()

    def _read(self) -> None:
        try:
            with os.fdopen(self._source, "rb") as lines:
                for line in lines:
                    if line.strip() and not self._take(line):
                        break
        finally:
            self._leaving.set()
            self._waiting.put(None)

    def _take(self, line: bytes) -> bool:
        """One line of input; False for the last one."""
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            request = None
        if not isinstance(request, dict) or not isinstance(request.get("op"), str):
            self._refuse(None, "expected one JSON object a line with an op")
            return True
        op, number = request["op"], request.get("id")
        if op == "quit":
            return False
        if not isinstance(number, int | str):
            self._refuse(None, f"the request {op!r} needs an id, a number or a text")
        elif op == "cancel":
            with self._lock:
                if number in self._open:
                    self._open[number] = True
        elif op not in _OPERATIONS:
            self._refuse(number, f"unknown operation {op!r}: choose one of {', '.join(_OPERATIONS)}, cancel, quit")
        elif number in self._open:
            self._refuse(None, f"a request with the id {number!r} is still at work")
        else:
            with self._lock:
                self._open[number] = False
            self._waiting.put(request)
        return True

    def _refuse(self, number: int | str | None, message: str) -> None:
        self._say(type="error", id=number, kind="protocol", message=message)

    def _answer(self, request: dict) -> None:
        number = self._current = request["id"]
        kind, operation = _OPERATIONS[request["op"]]
        fields = {name: value for name, value in request.items() if name not in ("id", "op")}
        try:
            with progress.listen(self._progress, self._check):
                progress.report()
                answer = operation(self, configuration.from_json(kind, fields, request["op"]))
            event = {"type": "done", "id": number, **answer}
        except _Cancelled:
            event = {"type": "cancelled", "id": number}
        except FootlightError as error:
            event = _error(number, "input", str(error))
        except Exception as error:
            traceback.print_exc()
            if isinstance(error, MemoryError | torch.OutOfMemoryError) or "alloc" in str(error):
                self._model = None
                event = _error(number, "memory", "there is not enough memory for this: free some, or ask for less")
            else:
                event = _error(number, "internal", f"{type(error).__name__}: {error}")
        finally:
            with self._lock:
                del self._open[number]
            self._current = None
        self._say(**event)

    def _check(self) -> None:
        if self._leaving.is_set() or self._open.get(self._current, False):
            raise _Cancelled

    def _progress(self, stage: str, fraction: float) -> None:
        self._say(type="progress", id=self._current, stage=stage, fraction=fraction)

    def _dance(self, request: DanceRequest) -> dict:
        _check_folder(request.out)
        song = self._read_song(request, 0.02)
        model = self._loaded(0.02, 0.05)
        with progress.part(0.05, 1.0):
            made = pipeline.generate_dance(model, song, request)
        with open(request.song, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        progress.report()
        pipeline.write_dance(request.out, made, seed=str(request.seed), model=model.name, audio_sha256=digest)
        return {"out": request.out, **_dance_values(made)}

    def _score(self, request: ScoreRequest) -> dict:
        _check_folder(request.out)
        with progress.part(0.0, 0.02, "Reading the motion"):
            clip = read_motion(request.motion)
        model = self._loaded(0.02, 0.05)
        with progress.part(0.05, 1.0):
            made = pipeline.score_motion(model, clip, request)
        progress.report()
        pipeline.write_music(request.out, made, model.config.signal, request.stereo, request.midi)
        return {"out": request.out, **_music_values(made), "metrics": made.metrics, **_beats_values(made.beats)}

    def _duet(self, request: DuetRequest) -> dict:
        _check_folder(request.out_motion)
        _check_folder(request.out_music)
        model, seed = self._loaded(0.0, 0.05), str(request.seed)
        with progress.part(0.05, 1.0):
            made = pipeline.generate_duet(model, request)
        progress.report()
        files = pipeline.music_files(request.out_music, made.music, model.config.signal, request.stereo, request.midi)
        files[Path(request.out_motion)] = pipeline.dance_file(made.dance, seed=seed, model=model.name)
        progress.report()
        write_together(files)
        values = {**_music_values(made.music), **_dance_values(made.dance)}
        return {"out_motion": request.out_motion, "out_music": request.out_music, **values}

    def _loaded(self, start: float, end: float) -> pipeline.Model:
        """The model, which is read where it is not there yet: from ``start`` to ``end`` of the request."""
        if self._model is None:
            with progress.part(start, end, "Loading the model"):
                self._model = pipeline.Model.load(self._model_folder, self._device)
        return self._model

    def _beats(self, request: BeatsRequest) -> dict:
        song = self._read_song(request, 0.3)
        with progress.part(0.3, 1.0, "Finding the beat"):
            return _beats_values(track_beats(song))

    def _read_song(self, request: DanceRequest | BeatsRequest, end: float) -> Waveform:
        with progress.part(0.0, end, "Reading the song"):
            return pipeline.read_song(request.song, request.start, request.seconds)

    def _free(self, _request: FreeRequest) -> dict:
        self._model = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return {}


_OPERATIONS = {
    "dance": (DanceRequest, Engine._dance),
    "score": (ScoreRequest, Engine._score),
    "duet": (DuetRequest, Engine._duet),
    "beats": (BeatsRequest, Engine._beats),
    "free": (FreeRequest, Engine._free),
}


def _check_folder(out: str) -> None:
    if not Path(out).parent.is_dir():
        raise FootlightError(f"{out}: there is no folder {Path(out).parent}; make it first")


def _dance_values(made: pipeline.Dance) -> dict:
    values = {"frames": made.motion.frames, "fps": made.motion.fps, "metrics": made.metrics, "style": made.style}
    return {**values, **_beats_values(made.beats)}


def _music_values(made: pipeline.Score) -> dict:
    return {"seconds": made.sound.seconds, "rate": made.sound.rate}


def _error(number: int | str | None, kind: str, message: str) -> dict:
    return {"type": "error", "id": number, "kind": kind, "message": " ".join(message.split())}


def _beats_values(beats: Beats) -> dict:
    """Beats as JSON values: times in seconds, and for each whether it begins a bar."""
    downbeats = [False] * len(beats.times) if beats.downbeats is None else beats.downbeats.tolist()
    return {"beats": beats.times.tolist(), "downbeats": downbeats, "tempo": beats.tempo}


def main(arguments: list[str] | None = None) -> int:
    """Serve standard input and output; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m core.engine", description="Footlight's engine: JSON lines.")
    parser.add_argument("--model", help="a model folder, or the name of an embedded model (default: default)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")
    args = parser.parse_args(arguments)
    source, sink = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    os.set_inheritable(sink, False)
    sys.stdout = sys.stderr
    try:
        Engine(source, sink, args.model or None, args.device).serve()
    except FootlightError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
