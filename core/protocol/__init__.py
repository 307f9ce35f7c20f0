"""The protocol of the engine: every request and every event, with bounds, defaults, units and help.

This is the only place where they are defined. The engine reads requests and writes events as JSON lines
(``core.engine``). The command line and the batches build their options from the fields (``core.arguments``), the panel
builds its properties. Numbers are checked when a request is created, so an existing request is within its bounds. What
depends on a model, such as the names of styles, is checked by ``core.pipeline``. The package needs only the standard
library, and Blender imports it too.

rules       what is known of a field besides its type: bounds, unit and help
options     the fields of requests, by what they are of
requests    the requests, and how they are messages
events      the events, and how they are messages
names       names of styles and looks, however they are written

Every message is one JSON object on a line of its own:

    {"id": 1, "op": "dance", "song": PATH, "out": PATH, ...}   a request: its operation and its fields, of which
                                                               defaults may be omitted
    {"op": "cancel", "id": 1}                                  cancel a request that waits or runs
    {"op": "quit"}                                             end the engine, as the end of the input does
    {"type": "ready", ...}                                     once, at the start
    {"type": "progress", "id": 1, ...}
    {"type": "preview", "id": 1, ...}                          the first seconds of a long dance, if they were asked for
    {"type": "done", "op": "dance", "id": 1, ...}              one of the last three for every request
    {"type": "cancelled", "id": 1}
    {"type": "failed", "id": 1, "kind": KIND, "message": one line}
"""

from __future__ import annotations

from .events import (
    ANSWERS,
    EVENTS,
    BeatsDone,
    Cancelled,
    DanceDone,
    DancePreview,
    Done,
    DuetDone,
    Event,
    Failed,
    LightDone,
    LookDone,
    Progress,
    Ready,
    ScoreDone,
    TheatreDone,
    event_from_json,
    event_to_json,
)
from .names import letters, named, no_look
from .options import (
    ACCENTS,
    FASTEST_CAPTURE_FPS,
    FASTEST_FPS,
    LARGEST_SEED,
    LEAST_VARIATION,
    MOST_MOVES,
    QUALITIES,
    SHORTEST_SECONDS,
    SLOWEST_FPS,
    SONG_FILES,
    SWITCH,
    CountedSong,
    DanceOptions,
    Dancing,
    DuetOptions,
    Editing,
    LightOptions,
    Options,
    Part,
    Sampling,
    ScoreOptions,
    Seeded,
    Song,
    Sound,
    TheatreOptions,
)
from .requests import (
    MUSIC_FILES,
    REQUESTS,
    BeatsRequest,
    DanceRequest,
    DuetRequest,
    FreeRequest,
    Id,
    LightRequest,
    LookRequest,
    Request,
    ScoreRequest,
    TheatreRequest,
    cancel_message,
    request_from_json,
    request_to_json,
)
from .rules import (
    Rule,
    check,
    default,
    plain_type,
    rule,
)

PROTOCOL = 6  # increased whenever an older engine or add-on would misunderstand a message

__all__ = [
    "ACCENTS",
    "ANSWERS",
    "EVENTS",
    "FASTEST_CAPTURE_FPS",
    "FASTEST_FPS",
    "LARGEST_SEED",
    "LEAST_VARIATION",
    "MOST_MOVES",
    "MUSIC_FILES",
    "PROTOCOL",
    "QUALITIES",
    "REQUESTS",
    "SHORTEST_SECONDS",
    "SLOWEST_FPS",
    "SONG_FILES",
    "SWITCH",
    "BeatsDone",
    "BeatsRequest",
    "Cancelled",
    "CountedSong",
    "DanceDone",
    "DanceOptions",
    "DancePreview",
    "DanceRequest",
    "Dancing",
    "Done",
    "DuetDone",
    "DuetOptions",
    "DuetRequest",
    "Editing",
    "Event",
    "Failed",
    "FreeRequest",
    "Id",
    "LightDone",
    "LightOptions",
    "LightRequest",
    "LookDone",
    "LookRequest",
    "Options",
    "Part",
    "Progress",
    "Ready",
    "Request",
    "Rule",
    "Sampling",
    "ScoreDone",
    "ScoreOptions",
    "ScoreRequest",
    "Seeded",
    "Song",
    "Sound",
    "TheatreDone",
    "TheatreOptions",
    "TheatreRequest",
    "cancel_message",
    "check",
    "default",
    "event_from_json",
    "event_to_json",
    "letters",
    "named",
    "no_look",
    "plain_type",
    "request_from_json",
    "request_to_json",
    "rule",
]
