"""Answers requests, which come and are answered as JSON lines, with arrays in files.

The messages are those of ``core.protocol``. Requests are answered in order. The model is loaded with the first request
that needs it, and kept. Dances are written as .npz files of ``core.formats.dance``, music as wav, flac or ogg. Every
file appears whole or not at all.
"""

from __future__ import annotations

import gc
import json
import os
import queue
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from core import __version__, pipeline, progress, protocol
from core.errors import FootlightError, collected_warnings, one_line
from core.files import write_atomically, write_together
from core.formats import dance
from core.formats.motion import read_motion
from core.formats.music import music_files, write_music
from core.grid.beat_grid import told_metre
from core.pipeline.last_song import LOADED, READ, LastSong, digest_of
from core.protocol import (
    BeatsDone,
    BeatsRequest,
    Cancelled,
    DanceDone,
    DancePreview,
    DanceRequest,
    Done,
    DuetDone,
    DuetRequest,
    Event,
    Failed,
    FreeRequest,
    Id,
    LightDone,
    LightRequest,
    LookDone,
    LookRequest,
    Ready,
    ScoreDone,
    ScoreRequest,
    TheatreDone,
    TheatreRequest,
)
from core.results import Dance, Score
from core.show import file as show_file
from core.types import Beats, Waveform


class _Cancelled(Exception):
    """The running request was cancelled."""


class Engine:
    """Answers requests. One thread reads requests and notes cancellations, the main thread works.

    source: file descriptor to read from.
    sink: file descriptor to write to.
    model_folder: the model, as in ``Model.load``.
    device: the device, as in ``Model.load``.
    """

    def __init__(self, source: int, sink: int, model_folder: str | None, device: str) -> None:
        self._source, self._sink = source, sink
        self._model_folder, self._device = model_folder, device
        self._model: pipeline.Model | None = None
        self._last = LastSong(self._loaded, self._read_song)
        self._waiting: queue.Queue[dict | None] = queue.Queue()
        self._lock = threading.Lock()
        self._open: dict[Id, bool] = {}  # requests that have not ended, and whether each is cancelled
        self._current: Id | None = None
        self._leaving = threading.Event()

    def serve(self) -> None:
        """Answer requests until a quit message or the end of the input."""
        device = str(pipeline.find_device(self._device))
        self._say(Ready(version=__version__, protocol=protocol.PROTOCOL, device=device))
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        while (request := self._waiting.get()) is not None and not self._leaving.is_set():
            self._answer(request)

    def _say(self, event: Event) -> None:
        data = (json.dumps(protocol.event_to_json(event)) + "\n").encode()
        with self._lock:
            try:
                while data:
                    data = data[os.write(self._sink, data) :]
            except OSError:  # the other side has closed the pipe
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
        """Take one line of input. Returns False for the last one."""
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
        elif op not in protocol.REQUESTS:
            self._refuse(
                number, f"unknown operation {op!r}: choose one of {', '.join(protocol.REQUESTS)}, cancel, quit"
            )
        elif number in self._open:
            self._refuse(None, f"a request with the id {number!r} is still at work")
        else:
            with self._lock:
                self._open[number] = False
            self._waiting.put(request)
        return True

    def _refuse(self, number: Id | None, message: str) -> None:
        self._say(Failed(id=number, kind="protocol", message=message))

    def _answer(self, request: dict) -> None:
        number = self._current = request["id"]
        try:
            with progress.listen(self._progress, self._check), collected_warnings() as said:
                progress.report()
                event = _OPERATIONS[request["op"]](self, number, protocol.request_from_json(request))
            event = replace(event, warnings=tuple(one_line(text) for text in said))
        except _Cancelled:
            event = Cancelled(id=number)
        except FootlightError as error:
            event = _failed(number, "input", str(error))
        except Exception as error:
            traceback.print_exc()
            if isinstance(error, MemoryError | torch.OutOfMemoryError) or "alloc" in str(error):
                self._model = None
                self._last.forget()
                event = _failed(number, "memory", "there is not enough memory for this: free some, or ask for less")
            else:
                event = _failed(number, "internal", f"{type(error).__name__}: {error}")
        finally:
            with self._lock:
                del self._open[number]
            self._current = None
        self._say(event)

    def _check(self) -> None:
        if self._leaving.is_set() or (self._current is not None and self._open.get(self._current, False)):
            raise _Cancelled

    def _progress(self, stage: str, fraction: float) -> None:
        self._say(protocol.Progress(id=self._current, stage=stage, fraction=fraction))

    def _dance(self, number: Id, request: DanceRequest) -> DanceDone:
        for out in filter(None, (request.out, request.preview)):
            _check_folder(out)
        digest = digest_of(request.song)
        heard_at = LOADED + (1 - LOADED) * pipeline.HEARING
        heard = self._last.song(request, digest, heard_at)
        model = self._loaded(READ, LOADED)
        about = {"seed": str(request.seed), "model": model.name, "audio_sha256": digest}
        with progress.part(heard_at, 1.0):
            begun = pipeline.begin(model, heard, request)
            if begun is not None:
                self._show(number, request, begun.preview, about)
            made = pipeline.answer(model, heard, request, begun)
        progress.report()
        dance.write(request.out, made, **about)
        return DanceDone(id=number, out=request.out, **_dance_values(made))

    def _show(
        self,
        number: Id,
        request: DanceRequest | TheatreRequest,
        preview: Dance,
        about: dict[str, str],
        light: dict[Path, bytes] | None = None,
    ) -> None:
        """Hand on the first seconds of a dance. light: their SHOW.json, by the file that it is written to."""
        assert request.preview is not None
        progress.report()
        write_together({Path(request.preview): dance.encoded(preview, **about), **(light or {})})
        motion, style = preview.motion, preview.style
        lit = next(map(str, light or ()), None)
        self._say(
            DancePreview(
                id=number, out=request.preview, frames=motion.frames, fps=motion.fps, style=style, out_light=lit
            )
        )

    def _score(self, number: Id, request: ScoreRequest) -> ScoreDone:
        _check_folder(request.out)
        with progress.part(0.0, READ, "Reading the motion"):
            clip = read_motion(request.motion, request.fps, request.start, request.seconds, request.rest)
        beats = pipeline.beats_given(request, len(clip.positions) / clip.fps)
        model = self._loaded(READ, LOADED).voiced_by(request.vocoder)
        with progress.part(LOADED, 1.0):
            made = pipeline.score_motion(model, clip, request, beats)
        progress.report()
        write_music(request.out, made, model.config.signal, not request.mono, request.midi)
        values = {**_music_values(made), "metrics": made.metrics, **_beats_values(made.beats)}
        return ScoreDone(id=number, out=request.out, **values)

    def _duet(self, number: Id, request: DuetRequest) -> DuetDone:
        _check_folder(request.out_motion)
        _check_folder(request.out_music)
        model, seed = self._loaded(0.0, LOADED).voiced_by(request.vocoder), str(request.seed)
        with progress.part(LOADED, 1.0):
            made = pipeline.generate_duet(model, request)
        progress.report()
        files = music_files(request.out_music, made.music, model.config.signal, not request.mono, request.midi)
        files[Path(request.out_motion)] = dance.encoded(made.dance, seed=seed, model=model.name)
        progress.report()
        write_together(files)
        values = {**_music_values(made.music), **_dance_values(made.dance)}
        return DuetDone(id=number, out_motion=request.out_motion, out_music=request.out_music, **values)

    def _light(self, number: Id, request: LightRequest) -> LightDone:
        _check_folder(request.out)
        song = self._read_song(request, 0.1)
        clip = None if request.motion is None else pipeline.read_dancer(request.motion)
        beats, written = pipeline.beats_given(request, song.seconds), pipeline.read_light(request)
        with progress.part(0.1, 1.0):
            made = pipeline.light_song(song, request, clip, beats, written)
        progress.report()
        show = made.show
        write_atomically(Path(request.out), show_file.encoded(show, engine=__version__, seed=str(request.seed)))
        values = {"frames": show.frames, "fps": show.fps, "sections": show.sections, "look": show.look}
        return LightDone(id=number, out=request.out, metrics=made.metrics, **values, **_beats_values(made.beats))

    def _theatre(self, number: Id, request: TheatreRequest) -> TheatreDone:
        for out in filter(None, (request.out, request.out_light, request.preview, request.preview_light)):
            _check_folder(out)
        digest, seed = digest_of(request.song), str(request.seed)
        heard_at = LOADED + (1 - LOADED) * pipeline.HEARING_LIT
        song = self._last.lit(request, digest, heard_at)
        model = self._loaded(READ, LOADED)
        with progress.part(heard_at, 1.0):
            task = pipeline.read_theatre(model, song, request)
            begun = pipeline.begin_theatre(model, task)
            said = {"seed": seed, "model": model.name}
            if begun is not None:
                light = {}
                if begun.show is not None and request.preview_light is not None:
                    encoded = show_file.encoded(begun.show, engine=__version__, **said)
                    light = {Path(request.preview_light): encoded}
                self._show(number, request, begun.preview, {**said, "audio_sha256": digest}, light)
            made = pipeline.answer_theatre(model, task, begun)
        progress.report()
        files = {}
        if request.out is not None:
            files[Path(request.out)] = dance.encoded(made.dance, **said, audio_sha256=digest)
        if request.out_light is not None:
            show = show_file.encoded(made.light.show, engine=__version__, **said)
            files[Path(request.out_light)] = show
        write_together(files)
        return TheatreDone(
            id=number,
            out=request.out or request.motion or "",
            out_light=request.out_light or request.light,
            look=made.light.show.look,
            accent=made.accent,
            light_metrics=made.light.metrics,
            **_dance_values(made.dance),
        )

    def _look(self, number: Id, request: LookRequest) -> LookDone:
        return LookDone(id=number, look=pipeline.look_of(request.look).name)

    def _loaded(self, start: float, end: float) -> pipeline.Model:
        """The model. If it is not loaded yet, loading reports progress from ``start`` to ``end`` of the request."""
        if self._model is None:
            with progress.part(start, end, "Loading the model"):
                self._model = pipeline.Model.load(self._model_folder, self._device)
        return self._model

    def _beats(self, number: Id, request: BeatsRequest) -> BeatsDone:
        song = self._read_song(request, 0.3)
        with progress.part(0.3, 1.0, "Finding the beat"):
            return BeatsDone(id=number, **_beats_values(pipeline.beats_of(song)))

    def _read_song(self, request: protocol.Song, end: float) -> Waveform:
        with progress.part(0.0, end, "Reading the song"):
            return pipeline.read_song(request.song, request.start, request.seconds)

    def _free(self, number: Id, _request: FreeRequest) -> Done:
        self._model = None
        self._last.forget()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return Done(id=number)


_OPERATIONS: dict[str, Callable[[Engine, Id, Any], Done]] = {
    DanceRequest.op: Engine._dance,
    ScoreRequest.op: Engine._score,
    DuetRequest.op: Engine._duet,
    LightRequest.op: Engine._light,
    TheatreRequest.op: Engine._theatre,
    LookRequest.op: Engine._look,
    BeatsRequest.op: Engine._beats,
    FreeRequest.op: Engine._free,
}


def _check_folder(out: str) -> None:
    if not Path(out).parent.is_dir():
        raise FootlightError(f"{out}: there is no folder {Path(out).parent}; make it first")


def _dance_values(made: Dance) -> dict:
    values = {"frames": made.motion.frames, "fps": made.motion.fps, "metrics": made.metrics, "style": made.style}
    return {**values, **_beats_values(made.beats)}


def _music_values(made: Score) -> dict:
    return {"seconds": made.sound.seconds, "rate": made.sound.rate}


def _failed(number: Id, kind: str, message: str) -> Failed:
    return Failed(id=number, kind=kind, message=one_line(message))


def _beats_values(beats: Beats) -> dict:
    """Beats as values of an event: times in seconds, and whether each starts a bar."""
    downbeats = [False] * len(beats.times) if beats.downbeats is None else beats.downbeats.tolist()
    values = {"beats": tuple(beats.times.tolist()), "downbeats": tuple(downbeats), "tempo": beats.tempo}
    return {**values, "metre": told_metre(beats.metre, beats.confidence), "confidence": beats.confidence}
