"""The command line: ``python -m core`` and ``footlight``.

    footlight dance SONG --out OUT.bvh|OUT.npz               a dance to a song
    footlight dance SONG --edit BASE.bvh --range "bars 17:20" --out OUT.bvh   four bars of it made anew
    footlight score MOTION --out OUT.wav|OUT.flac|OUT.ogg    music for a motion
    footlight duet --out-motion OUT.bvh --out-music OUT.wav  a dance and its music together
    footlight theatre SONG --look LOOK --out OUT.bvh --out-light SHOW.json    a dance and its light together
    footlight light SONG --out SHOW.json                     stage light for a song, by rules
    footlight looks                   the looks that --look accepts
    footlight beats FILE              the beats of a song, or the kinematic beats of a motion, as JSON
    footlight styles                  the styles that --style accepts
    footlight bench [SONG]            how fast this computer is, and how long the song will take

The exit code is 0, or 2 for invalid input, with one line on standard error. Warnings about input that was used all the
same are lines there too, and ``warnings`` in JSON. Heavy modules are imported only after the arguments are parsed, so
``--help`` and mistakes answer at once.
"""

from core.cli.program import main, parser

__all__ = ["main", "parser"]
