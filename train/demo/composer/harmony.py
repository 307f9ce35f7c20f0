"""Keys, chords and voice leading: which tones sound, and where each voice moves next.

Times are beats. Chords are relative to the tonic of a minor key, in semitones.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

MINOR_SCALE = (0, 2, 3, 5, 7, 8, 10)
VOICES = (53, 74)  # lowest and highest MIDI pitch of a chord's voices


class Chord(NamedTuple):
    """A chord.

    root: semitones above the tonic.
    tones: semitones above the root.
    """

    root: int
    tones: tuple[int, ...]

    @property
    def classes(self) -> tuple[int, ...]:
        """Pitch classes relative to the tonic."""
        return tuple((self.root + tone) % 12 for tone in self.tones)


TONIC = Chord(0, (0, 3, 7, 10))
TONIC_NINTH = Chord(0, (0, 3, 7, 14))
MEDIANT = Chord(3, (0, 4, 7, 11))
SUBDOMINANT = Chord(5, (0, 3, 7, 10))
MINOR_DOMINANT = Chord(7, (0, 3, 7, 10))
SUSPENDED = Chord(7, (0, 5, 7, 10))
DOMINANT = Chord(7, (0, 4, 7, 10))
SUBMEDIANT = Chord(8, (0, 4, 7, 11))
SUBTONIC = Chord(10, (0, 4, 7, 14))

# Four bars each; a bar is one chord or two halves.
VERSES = (
    (TONIC, SUBMEDIANT, MEDIANT, SUBTONIC),
    (TONIC, SUBDOMINANT, SUBMEDIANT, SUBTONIC),
    (TONIC, MINOR_DOMINANT, SUBMEDIANT, SUBDOMINANT),
)
CHORUSES = (
    (SUBMEDIANT, SUBTONIC, TONIC, MEDIANT),
    (SUBMEDIANT, SUBTONIC, MINOR_DOMINANT, TONIC),
    (TONIC, MEDIANT, SUBMEDIANT, SUBTONIC),
)
LIFT = (SUBDOMINANT, MINOR_DOMINANT, SUBMEDIANT, (SUSPENDED, DOMINANT))
BREAKS = (
    (SUBMEDIANT, SUBMEDIANT, TONIC, TONIC),
    (SUBDOMINANT, SUBDOMINANT, SUBMEDIANT, (SUSPENDED, DOMINANT)),
)
OUTRO = (SUBMEDIANT, SUBTONIC, TONIC_NINTH, TONIC_NINTH)


@dataclass(frozen=True)
class Key:
    """A minor key.

    tonic: the MIDI pitch of the lowest tonic that the bass may play.
    """

    tonic: int

    def degree(self, index: int, octave_pitch: int) -> int:
        """The tone ``index`` (any integer) of the scale, counted from the first tonic at or above ``octave_pitch``."""
        first = octave_pitch + (self.tonic - octave_pitch) % 12
        octave, step = divmod(index, len(MINOR_SCALE))
        return first + 12 * octave + MINOR_SCALE[step]

    def scale_step(self, pitch: int, steps: int) -> int:
        """The scale's tone so many steps from a pitch. A pitch outside the scale counts as the tone below it."""
        octave, rest = divmod(pitch - self.tonic, 12)
        index = max(place for place, tone in enumerate(MINOR_SCALE) if tone <= rest) + steps
        more, place = divmod(index, len(MINOR_SCALE))
        return self.tonic + 12 * (octave + more) + MINOR_SCALE[place]

    def singable(self, chord: Chord) -> tuple[int, ...]:
        """The pitch classes (0 to 11) that a melody may hold over a chord: its tones, but no root under a major
        seventh.
        """
        rubs = 11 in chord.tones
        return tuple((self.tonic + tone) % 12 for tone in (chord.classes[1:] if rubs else chord.classes))

    def bass(self, chord: Chord) -> int:
        """The chord's root in the bass register, at most a twelfth above the lowest tonic."""
        return self.tonic + chord.root if chord.root < 8 else self.tonic + chord.root - 12


def voicing(key: Key, chord: Chord, before: tuple[int, ...] | None) -> tuple[int, ...]:
    """The chord's tones within ``VOICES``, chosen so that the voices move least from ``before``.

    Voices stay in order and at least a tone apart. They are drawn to the middle of the range.
    """
    low, high = VOICES
    places = [[pitch for pitch in range(low, high + 1) if (pitch - key.tonic) % 12 == tone] for tone in chord.classes]
    best, least = (), np.inf
    for pitches in product(*places):
        voices = sorted(pitches)
        gaps = np.diff(voices)
        if gaps.min() < 1 or voices[-1] - voices[0] > 16:
            continue
        cost = 0.3 * abs(np.mean(voices) - (low + high) / 2) + 6.0 * (gaps < 2).sum()
        if before is not None:
            cost += sum(abs(new - old) for new, old in zip(voices, before, strict=False))
        if cost < least:
            best, least = tuple(voices), cost
    return best
