"""Tunes that everybody can count, without bass, chords and drums, by which nothing but the tune tells the bars."""

from train.data.music.midi import Note, Part

_PITCHES = dict(zip("gabcdefGABCDEF", (55, 57, 59, 60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77), strict=True))
LENGTHS = {"'": 0.5, ".": 1.5, "_": 2.0, "-": 3.0}
"""Beats of a note before such a sign; 1 without a sign."""

AUGUSTIN = "G A'G'F e c c d g g e c c G A'G'F e c c d g g c- d g g e c c d g g e c c G A'G'F e c c d g g c-"
ANTHEM = "c c d b.c'd e e f e.d'c d c b c- G G G G.f'e f f f f.e'd e f'e'd'c'e.f'G A'f'e d c-"
JACQUES = "c d e c c d e c e f G_ e f G_ G'A'G'f'e c G'A'G'f'e c c g c_ c g c_"
JOY = "e e f G G f e d c c d e e.d'd_ e e f G G f e d c c d e d.c'c_ d d e c d e'f'e c d e'f'e d c d g_ " + (
    "e e f G G f e d c c d e d.c'c_"
)


def sung(tune: str, bpm: float, times: int) -> tuple[Part, float]:
    """The tune as a part, sung so many times, and its length in seconds."""
    notes, at = [], 0.0
    for sign in list(tune.replace(" ", "")) * times:
        if sign in LENGTHS:
            at += LENGTHS[sign] - 1
            notes[-1] = notes[-1]._replace(end=at)
        else:
            notes.append(Note(at, at + 1, _PITCHES[sign], 90))
            at += 1
    beat = 60 / bpm
    moved = (note._replace(start=note.start * beat, end=(note.end - 0.05) * beat) for note in notes)
    return Part("tune", tuple(moved)), at * beat
