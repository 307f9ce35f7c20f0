"""Styles of popular music as patterns of one bar: metre, drums, bass and chords, on a grid of equal steps.

A pattern line has a sign for each step of its bar: ``X`` loud, ``x`` plain, ``o`` soft, ``.`` nothing, and ``?`` soft,
played or not from bar to bar. Lines of a multiple of the bar's length last several bars. The beat tracker is trained on
music that ``improvise`` makes of them, because the collections of MIDI songs are all in bars of four.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KICK, RIM, SNARE, CLAP, HAT, PEDAL, OPEN, RIDE, CRASH = 36, 37, 38, 39, 42, 44, 46, 51, 49
LOW_TOM, MID_TOM, HIGH_TOM, COWBELL, TAMBOURINE, SHAKER = 43, 45, 48, 56, 54, 70
LOW_CONGA, OPEN_CONGA, MUTE_CONGA, CLAVES, AGOGO_HIGH, AGOGO_LOW, BELL = 64, 63, 62, 75, 67, 68, 53


@dataclass(frozen=True)
class Style:
    """A style.

    beats: of a bar, as people count it.
    steps: of the grid in a bar.
    bpm: slowest and fastest tempo of those beats.
    drums: for each instrument the lines to choose from.
    bass: lines to choose from; digits say which chord tone a step plays (0 root, 1 fifth, 2 octave, 3 third) and ``-``
        goes on.
    chords: lines to choose from.
    swing: how late every second step comes, as a share of a step; slowest and fastest are equally likely.
    counted: 2 if people dance to every second beat, which is then the beat to be found.
    """

    beats: int
    steps: int
    bpm: tuple[float, float]
    drums: dict[int, tuple[str, ...]] = field(default_factory=dict)
    bass: tuple[str, ...] = ()
    chords: tuple[str, ...] = ()
    swing: tuple[float, float] = (0.0, 0.0)
    counted: int = 1


def _of(
    beats: int, steps: int, bpm: tuple[float, float], drums: dict[int, str | tuple[str, ...]], **more: Any
) -> Style:
    """Make a style whose lines may be written with spaces."""
    lines = {note: tuple(_close(line) for line in _all(some)) for note, some in drums.items()}
    bass, chords = (tuple(_close(line) for line in _all(more.pop(name, ()))) for name in ("bass", "chords"))
    for line in (*(line for some in lines.values() for line in some), *bass, *chords):
        assert len(line) % steps == 0, f"{line!r} does not fit bars of {steps} steps"
    return Style(beats, steps, bpm, lines, bass, chords, **more)


def _all(lines: str | tuple[str, ...]) -> tuple[str, ...]:
    return (lines,) if isinstance(lines, str) else lines


def _close(line: str) -> str:
    return line.replace(" ", "")


_HATS = ("x.o. x.o. x.o. x.o.", "x... x... x... x...", "xoxo xoxo xoxo xoxo", "x.x. x.x. x.x. x.x.")
_HELD = ("X... .... .... ....", "X... .... X... ....")
_STRUMS = ("X... x... X... x...", "X..x ..x. X.x. ..x.", "X.x. x.x. X.x. x.x.", *_HELD)
_STRAIGHT_BASS = (
    "0.0. 0.0. 0.0. 0.0.",
    "0--- ..0. 0--- ..1.",
    "0--- ---- 1--- ----",
    "0..0 ..0. 0..0 ..1.",
    "0--- 0--- 0--- 0---",
)
_BARS_OF_SIX_CHORDS = ("X.x.x. x.x.x.", "X..... x.....", "X.x.x. X.x.x.", "X..... ......")

STYLES: dict[str, Style] = {
    "rock": _of(
        4,
        16,
        (84, 160),
        {
            KICK: ("X... .... X.?. ....", "X..x .... X... ....", "X... ..x. X.x. ....", "X.x. .... .xX. ...."),
            SNARE: ".... X... .... X...",
            HAT: _HATS,
        },
        bass=_STRAIGHT_BASS,
        chords=_STRUMS,
    ),
    "ballad": _of(
        4,
        16,
        (52, 92),
        {
            KICK: ("X... .... ..x. ....", "X... ..x. x... ....", "X... .... X... ...."),
            SNARE: ".... X... .... X...",
            HAT: ("x.o. x.o. x.o. x.o.", "xooo xooo xooo xooo", "x... x... x... x..."),
            RIM: (".... ....  .... ....", ".... x... .... x..."),
        },
        bass=("0--- ---- 0--- ----", "0--- ..0. 1--- ----", "0--- ---- ---- ----"),
        chords=("X.x. x.x. x.x. x.x.", "X... x... x... x...", *_HELD),
    ),
    "half-time": _of(
        4,
        16,
        (116, 164),
        {
            KICK: ("X... .... .... x...", "X..x .... .... ..x.", "X... ..x. .... ...."),
            SNARE: ".... .... X... ....",
            HAT: ("x.x. x.x. x.x. x.x.", "xxxx xxxx xxxx xxxx", "x... x... x... x..."),
        },
        bass=("0--- ---- ---- ----", "0--- ..0. ---- ..1."),
        chords=_HELD,
    ),
    "house": _of(
        4,
        16,
        (110, 132),
        {
            KICK: "X... X... X... X...",
            OPEN: ("..x. ..x. ..x. ..x.", ".... .... .... ...."),
            CLAP: (".... X... .... X...", ".... .... .... ...."),
            HAT: ("x.?. x.?. x.?. x.?.", ".... .... .... ....", "xoxo xoxo xoxo xoxo"),
        },
        bass=("..0. ..0. ..0. ..0.", "0.00 ..0. 0.02 ..1.", "..0. ..2. ..0. ..2."),
        chords=("..x. ..x. ..x. ..x.", "X..x ..x. .... ....", *_HELD),
    ),
    "trance": _of(
        4,
        16,
        (128, 152),
        {
            KICK: "X... X... X... X...",
            OPEN: "..X. ..X. ..X. ..X.",
            CLAP: (".... X... .... X...", ".... .... .... ...."),
            HAT: ("xoxo xoxo xoxo xoxo", ".... .... .... ...."),
        },
        bass=("..00 ..00 ..00 ..00", ".000 .000 .000 .000", "..0. ..0. ..0. ..0."),
        chords=("x.xx .x.x x.xx .x.x", "xxxx xxxx xxxx xxxx", *_HELD),
    ),
    "hard trance": _of(
        4,
        16,
        (166, 250),
        {
            KICK: "X... X... X... X...",
            OPEN: ("..X. ..X. ..X. ..X.", ".... .... .... ...."),
            CLAP: (".... X... .... X...", ".... .... .... ....", ".... .... X... ...."),
            HAT: ("x.x. x.x. x.x. x.x.", ".... .... .... ....", "x... x... x... x..."),
        },
        bass=("..0. ..0. ..0. ..0.", "0... 0... 0... 0...", "..00 ..00 ..00 ..00"),
        chords=("x.x. x.x. x.x. x.x.", "X... .... x... ....", *_HELD),
        counted=2,
    ),
    "disco": _of(
        4,
        16,
        (104, 132),
        {
            KICK: "X... X... X... X...",
            SNARE: ".... X... .... X...",
            OPEN: ("..x. ..x. ..x. ..x.", ".... .... .... ...."),
            HAT: "xo.o xo.o xo.o xo.o",
        },
        bass=("0.2. 0.2. 0.2. 0.2.", "0.0. 2.0. 0.0. 2.1."),
        chords=("..x. ..x. ..x. ..x.", "x.xx .xx. x.xx .xx.", *_HELD),
    ),
    "drum and bass": _of(
        4,
        16,
        (158, 182),
        {
            KICK: ("X... .... ..X. ....", "X... .... ..X. ..?.", "X... ...x ..X. ...."),
            SNARE: (".... X... .... X...", ".... X..o .o.. X..o"),
            HAT: ("x.x. x.x. x.x. x.x.", "xoxo xoxo xoxo xoxo"),
            RIDE: (".... .... .... ....", "x... x... x... x..."),
        },
        bass=("0--- ---- ---- ----", "0--- --0- --0- ----", "0--- ---- ---- ---- 3--- ---- 1--- ----"),
        chords=("X... .... .... .... .... .... .... ....", *_HELD),
        counted=2,
    ),
    "breakbeat": _of(
        4,
        16,
        (118, 146),
        {
            KICK: ("X.x. .... ..x. ....", "X... ...x .xX. ....", "X... ..x. ..X. ...."),
            SNARE: (".... X..o .o.. X...", ".... X... .... X..o"),
            HAT: _HATS,
        },
        bass=_STRAIGHT_BASS,
        chords=_HELD,
    ),
    "punk": _of(
        4,
        8,
        (158, 208),
        {
            KICK: ("X. .x X. ..", "X. .. X. ..", "X. .x .x .."),
            SNARE: ".. X. .. X.",
            HAT: ("xx xx xx xx", "x. x. x. x."),
            RIDE: ("........", "x. x. x. x."),
        },
        bass=("00 00 00 00",),
        chords=("XX XX XX XX", "Xx xX xx Xx"),
        counted=2,
    ),
    "skate punk": _of(
        4,
        8,
        (84, 104),
        {KICK: ("X. X. X. X.", "X. Xx X. X."), SNARE: ".X .X .X .X", HAT: ("xx xx xx xx", "x. x. x. x.")},
        bass=("00 00 00 00",),
        chords=("XX XX XX XX", "X. X. X. X."),
    ),
    "ska": _of(
        4,
        16,
        (104, 158),
        {
            KICK: ("X... X... X... X...", "X... .... X... ....", ".... .... X... ...."),
            SNARE: (".... X... .... X...", ".... .... X... ...."),
            HAT: ("x.x. x.x. x.x. x.x.", "..x. ..x. ..x. ..x.", ".... .... .... ...."),
        },
        bass=("0--- 3--- 1--- 3---", "0--- 0--- 1--- 1---"),
        chords="..X. ..X. ..X. ..X.",
    ),
    "one drop": _of(
        4,
        16,
        (60, 92),
        {
            KICK: (".... .... X... ....", ".... X... .... X..."),
            RIM: (".... .... X... ....", ".... .... X..o ...."),
            HAT: ("x.x. x.x. x.x. x.x.", "..x. ..x. ..x. ..x.", "xoxo xoxo xoxo xoxo", ".... .... .... ...."),
        },
        bass=(".... ..0. 0--- 0.3.", "0--- ..0. .... ..1.", "..0. 0-.0 ..0. 1---", "0.-. 0.3. 1--- ...."),
        chords=("..X. ..X. ..X. ..X.", "..Xx ..Xx ..Xx ..Xx", "..X. ..X. ..X. ..Xx"),
        swing=(0.0, 0.25),
    ),
    "steppers": _of(
        4,
        16,
        (64, 96),
        {
            KICK: ("X... X... X... X...", "X... .... X... ...."),
            RIM: ".... .... X... ....",
            HAT: ("x.x. x.x. x.x. x.x.", "..x. ..x. ..x. ..x.", ".... .... .... ...."),
        },
        bass=("0-0. ..3. 1--- ....", "0--- ..0. ..1. ..0."),
        chords=("..X. ..X. ..X. ..X.", "..Xx ..Xx ..Xx ..Xx"),
        swing=(0.0, 0.25),
    ),
    "samba": _of(
        2,
        8,
        (78, 122),
        {
            LOW_TOM: ("x... X...", "o... X..x", "...o X..."),
            KICK: ("x..x x..x", "........"),
            HAT: ("xoox xoox", "xoxx xoxx"),
            TAMBOURINE: ("x.x. xx.x .x.x x.x.", "........ ........"),
            AGOGO_HIGH: ("x.x. .x.x ...x .x..", "........ ........"),
            SNARE: ("oxox oxox", "x.ox .x.o"),
        },
        bass=("0--0 1--1", "0--0 1---"),
        chords=("x.x. .x.x .x.x x.x.", "X... ....", "x..x ..x."),
    ),
    "bossa nova": _of(
        4,
        16,
        (100, 152),
        {
            KICK: "X..x X..x X..x X..x",
            RIM: ("x..x ..x. ..x. .x..", "x..x ..x. .... x..x"),
            HAT: ("x.x. x.x. x.x. x.x.", "xxxx xxxx xxxx xxxx"),
        },
        bass=("0--0 1--1 0--0 1--1", "0--- ---1 1--- ---0"),
        chords=("x..x ..x. ..x. .x..", "X... .... ..x. ...."),
    ),
    "salsa": _of(
        4,
        16,
        (84, 118),
        {
            CLAVES: ("..x.x...x..x..x.", "x..x..x...x.x..."),
            COWBELL: ("x.xx x.xx x.xx x.xx", "x... x... x... x...", ".... .... .... ...."),
            MUTE_CONGA: "x.x. ..x. x.x. ..x.",
            OPEN_CONGA: "...... xx ...... xx",
        },
        bass=("...0 --2- ...0 --1-", "...0 ..1- ...0 ..2-"),
        chords=("x.xx .x.x .x.x .x.x", "x..x .x.x .x.x .x.x"),
    ),
    "reggaeton": _of(
        4,
        16,
        (84, 104),
        {
            KICK: "X... X... X... X...",
            SNARE: ("...x ..x. ...x ..x.",),
            HAT: ("x.x. x.x. x.x. x.x.", "....  .... .... ...."),
        },
        bass=("0--0 --0- 0--0 --1-", "0--- 0--- 0--- 0---"),
        chords=("X..x ..x. X..x ..x.", *_HELD),
    ),
    "afrobeat": _of(
        4,
        16,
        (96, 128),
        {
            KICK: ("X..x ..x. X..x ..x.", "X... ..x. ..X. ...."),
            SNARE: ("...x ..x. ...x ..x.", ".... X... ..x. X..."),
            HAT: _HATS,
            SHAKER: ("xoxo xoxo xoxo xoxo", ".... .... .... ...."),
        },
        bass=("0..0 ..3. .1.. 0...", "0.0. .0.3 ..1. .3.."),
        chords=("..x. ..x. .x.x ..x.", ".x.. x..x ..x. .x.."),
    ),
    "swing": _of(
        4,
        12,
        (96, 164),
        {
            RIDE: ("x.. x.x x.. x.x", "x.. x.. x.. x.."),
            PEDAL: "... x.. ... x..",
            KICK: ("o.. o.. o.. o..", "x.. ..? ... ..?"),
            SNARE: ("... ..? ... ..?", "... ... ... ..."),
        },
        bass=("0-- 3-- 1-- 2--", "0-- 1-- 0-- 3--"),
        chords=("... ..x ... ...", "x.. ... ..x ...", "..x ... ..x ..."),
    ),
    "shuffle": _of(
        4,
        12,
        (72, 148),
        {
            KICK: ("X.. ... X.. ...", "X.. ..x X.. ..x"),
            SNARE: "... X.. ... X..",
            HAT: ("x.x x.x x.x x.x", "x.. x.. x.. x.."),
        },
        bass=("0-0 0-0 3-3 1-1", "0-- 3-- 1-- 3--", "0-0 0-0 0-0 0-0"),
        chords=("x.x x.x x.x x.x", "..x ..x ..x ..x", "X.. ... ... ..."),
    ),
    "slow blues": _of(
        4,
        12,
        (50, 78),
        {
            KICK: ("X.. ... X.. ..x", "X.. ..x X.. ..."),
            SNARE: "... X.. ... X..",
            HAT: ("xxx xxx xxx xxx", "x.x x.x x.x x.x"),
        },
        bass=("0-- 3-- 1-- 3--", "0-0 ..0 1-- ..3"),
        chords=("xxx xxx xxx xxx", "X.. x.. x.. x..", "..x ..x ..x ..x"),
    ),
    "hip-hop": _of(
        4,
        16,
        (78, 108),
        {
            KICK: ("X... ..x. ..X. ....", "X..x .... .xX. ....", "X.x. .... ..x. x..."),
            SNARE: (".... X... .... X...", ".... X... .... X..o"),
            HAT: ("x.x. x.x. x.x. x.x.", "x.xo x.xo x.xo x.xo", "xxxx xxxx xxxx xxxx"),
        },
        bass=("0--- ..0. ..0- ----", "0-.0 ---- ..3- 1---"),
        chords=("X... .... .... ....", "X..x .... ..x. ....", *_HELD),
        swing=(0.0, 0.4),
    ),
    "trap": _of(
        4,
        16,
        (62, 84),
        {
            KICK: ("X... ...x ..x. ....", "X... ..x. ...x .x.."),
            CLAP: ".... X... .... X...",
            HAT: ("xxxx xxxx xxxx xxxx", "x.x. x.x. x.x. xxxx", "xxxx x.x. xxxx x.x."),
        },
        bass=("0--- ---0 --0- ----", "0--- ---- ---3 ----"),
        chords=("X... .... .... ....", "x.x. x.x. x.x. x.x."),
    ),
    "funk": _of(
        4,
        16,
        (88, 124),
        {
            KICK: ("X..x ..x. ..x. .x..", "X.x. .... ..X. .x..", "X... ..x. .x.. ..x."),
            SNARE: (".... X..o .o.. X..o", ".... X..o .o.o X..."),
            HAT: _HATS,
        },
        bass=("0..0 ..0. .03. 1..0", "0-.. .0.2 ..0. 3.1.", "0.20 .0.. 0.20 .3.1"),
        chords=("..x. x..x ..x. x..x", "x..x .x.. .x.x ..x.", *_HELD),
        swing=(0.0, 0.2),
    ),
    "motown": _of(
        4,
        16,
        (100, 136),
        {
            KICK: ("X... ..x. X... ....", "X..x X... X..x X..."),
            SNARE: ("X... X... X... X...", ".... X... .... X..."),
            TAMBOURINE: (".... X... .... X...", "x.X. x.X. x.X. x.X."),
            HAT: "x.x. x.x. x.x. x.x.",
        },
        bass=("0..0 ..3. 1..1 ..3.", "0--- ..0. 1--- 3-2-"),
        chords=(".... X... .... X...", "X... X... X... X..."),
    ),
    "country": _of(
        2,
        8,
        (84, 126),
        {KICK: "X... X...", SNARE: ("x.X. x.X.", "xxXx xxXx", "..X. ..X."), HAT: ("........", "..x. ..x.")},
        bass="0--- 1---",
        chords=("..X. ..X.", "x.X. x.X."),
    ),
    "polka": _of(
        2,
        8,
        (96, 134),
        {KICK: "X... X...", SNARE: ("..X. ..X.", "..Xx ..Xx"), HAT: ("........", "..x. ..x.")},
        bass=("0--- 1---", "0-.. 1-.."),
        chords="..X. ..X.",
    ),
    "march": _of(
        2,
        8,
        (104, 126),
        {
            KICK: ("X... x...", "X... X..."),
            SNARE: ("x.xx x.xx", "x... x.xx", "..x. ..x."),
            CRASH: ("X... ....", "........"),
        },
        bass=("0--- 1---",),
        chords=("..x. ..x.", "X... X..."),
    ),
    "tango": _of(
        2,
        8,
        (52, 68),
        {RIM: ("........", "x.x. x.x.")},
        bass=("0.0. 0.0.", "0--0 1.0.", "0--- 1---"),
        chords=("X.x. X.x.", "X..x X.x."),
    ),
    "waltz": _of(
        3,
        12,
        (84, 190),
        {
            KICK: ("X... .... ....", "............"),
            SNARE: (".... x... x...", "............", ".... .... x..."),
            HAT: ("x... x... x...", "............", "x.o. x.o. x.o."),
            RIDE: ("............", "x... x... x..."),
        },
        bass=("0--- .... ....", "0--- ---- ----", "0--- .... .... 1--- .... ....", "0--- 3--- 1---"),
        chords=(".... X... X...", "X... x... x...", "X... .... ....", ".... X... ....", "X.x. x.x. x.x."),
    ),
    "jazz waltz": _of(
        3,
        9,
        (100, 184),
        {
            RIDE: ("x.. x.x x..", "x.. x.x x.x"),
            PEDAL: ("... x.. ...", "... x.. x.."),
            KICK: ("o.. ... ...", "x.. ... ..?"),
            SNARE: ("... ..? ...", "........."),
        },
        bass=("0-- 3-- 1--", "0-- --- 1--", "0-- --- ---"),
        chords=("x.. ..x ...", "... x.. ..x", "X.. ... ..."),
    ),
    "slow three": _of(
        3,
        12,
        (58, 104),
        {
            KICK: ("X... .... ....", "X... .... ..x."),
            SNARE: (".... .... X...", ".... X... X...", "............"),
            HAT: ("x.o. x.o. x.o.", "x... x... x...", "xooo xooo xooo"),
        },
        bass=("0--- ---- ----", "0--- ---- 1---"),
        chords=("X.x. x.x. x.x.", "X... x... x...", "X... .... ...."),
    ),
    "six-eight": _of(
        2,
        12,
        (48, 92),
        {
            KICK: ("X..... ......", "X..... ....x.", "X...x. ......"),
            SNARE: "...... X.....",
            HAT: ("x.x.x. x.x.x.", "x.o.o. x.o.o.", "x..... x....."),
        },
        bass=("0----- 0-----", "0---0- 1---3-", "0----- ------"),
        chords=_BARS_OF_SIX_CHORDS,
    ),
    "jig": _of(
        2,
        6,
        (92, 138),
        {
            KICK: ("X.. x..", "X.. X.."),
            SNARE: ("..x ..x", "......", "... X.."),
            TAMBOURINE: ("xxx xxx", "x.x x.x", "......"),
        },
        bass=("0-- 1--", "0-- 0--"),
        chords=("x.x x.x", "xxx xxx", "X.. X.."),
    ),
    "bembe": _of(
        4,
        12,
        (84, 132),
        {
            BELL: ("x.x.xx.x.x.x",),
            LOW_CONGA: ("x.. x.. x.. x..", "... ..x ... ..x"),
            OPEN_CONGA: (".xx .xx .xx .xx", ".x. .x. .x. .x."),
            SHAKER: ("x.. x.. x.. x..", "xxx xxx xxx xxx"),
        },
        bass=("0-- ... 1-- ...", "0.0 ..3 ..1 ..."),
        chords=("X.. ... X.. ...", "x.x x.. x.x x.."),
    ),
    "five": _of(
        5,
        10,
        (92, 190),
        {
            KICK: ("X. .. .. X. ..", "X. .x .. X. ..", "X. .. x. X. .."),
            SNARE: (".. .. X. .. X.", ".. X. .. .. X.", ".. .. .. .. X."),
            HAT: ("x. x. x. x. x.", "xx xx xx xx xx"),
            RIDE: ("..........", "x. x. xx x. xx"),
        },
        bass=("0- -- -0 1- --", "0- -- -- 1- 1-"),
        chords=("X. .x .. X. x.", "X. .. .. X. .."),
    ),
    "seven": _of(
        7,
        14,
        (150, 225),
        {
            KICK: ("X... .... x.....", "X... x... x....."),
            SNARE: ("..x. ..x. ..x.x.", ".... x... ..x.x.", "..x. ..x. ....x."),
            HAT: ("x.x. x.x. x.x.x.", "x... x... x....."),
        },
        bass=("0--- 0--- 1-----", "0--- 3--- 1---3-"),
        chords=("X... X... X.....", "X... .... X....."),
    ),
}
