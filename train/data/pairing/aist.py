"""AIST++ as its authors publish it (Li et al. 2021): takes of street dance, captured with their music.

    DIR/motions/gBR_sBM_cAll_d04_mBR0_ch01.pkl    see ``core.formats.published``
    DIR/splits/crossmodal_train.txt, _val, _test  names of takes, one a line
    DIR/ignore_list.txt                           takes whose reconstruction failed
    DIR/music/mBR0.wav                            from the AIST Dance Video Database (Tsuchida et al. 2019), or mp3

The name of a take gives its genre (gBR), situation, cameras, dancer (d04), music (mBR0) and choreography.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from core.errors import FootlightError
from core.files import file_digest
from train.data.jobs import Job
from train.data.music.songs import song_jobs, with_waveforms
from train.data.pairing.user_pairs import AUDIO, Take, recorded_pair, shard_of
from train.data.shards import key, slug

SPLITS = ("train", "val", "test")
GENRES = {
    "BR": "break",
    "PO": "pop",
    "LO": "lock",
    "MH": "middle hip-hop",
    "LH": "LA-style hip-hop",
    "HO": "house",
    "WA": "waack",
    "KR": "krump",
    "JS": "street jazz",
    "JB": "ballet jazz",
}


def aist_jobs(
    folder: Path, out: Path, music: Path | None = None, waveforms: bool = False
) -> tuple[list[Job], list[Job], list[dict]]:
    """Jobs for the songs, jobs for the takes, and ``{"source", "reason"}`` of what is not used.

    A take belongs to the split whose list names it. A song is for training when takes for training, and no others, are
    danced to it.

    music: the folder of the songs, if it is not ``folder/music``.
    waveforms: keep the songs' samples.

    Raises FootlightError for a folder with another layout.
    """
    folder = Path(folder)
    motions, songs = _files(folder / "motions", (".pkl",)), _files(music or folder / "music", AUDIO)
    splits, ignored = _splits(folder), _ignored(folder)
    work, dropped, heard_in, digests = [], [], {}, {}
    for name in sorted(motions.keys() | splits.keys() - ignored):
        path = motions.get(name, folder / "motions" / f"{name}.pkl")
        try:
            if name in ignored:
                raise FootlightError("on the list of takes to ignore")
            split = _split_of(name, splits, path)
            genre, code = genre_and_music(name)
            if code not in songs:
                raise FootlightError(f"no music {code} (looked for {', '.join(code + suffix for suffix in AUDIO)})")
        except FootlightError as error:
            dropped.append({"source": str(path), "reason": str(error)})
            continue
        song = songs[code]
        heard_in.setdefault(song, (genre, set()))[1].add(split)
        take = Take(f"aist-{slug(name)}", name, genre, split, f"aist-{name}", tempo_of(code))
        if song not in digests:  # a song serves dozens of takes
            digests[song] = file_digest(song)
        made_from = key("aist", "fitted", file_digest(path), digests[song], take.genre, take.split, take.tempo)
        made_from = with_waveforms(made_from, waveforms)
        work.append(Job(str(path), shard_of(out, take), made_from, partial(recorded_pair, path, song, take, waveforms)))
    entries = [
        {"path": song.name, "genre": genre, "split": "train" if where == {"train"} else "val"}
        for song, (genre, where) in sorted(heard_in.items())
    ]
    return song_jobs(Path(music or folder / "music"), out, entries, waveforms), work, dropped


def genre_and_music(name: str) -> tuple[str, str]:
    """The genre of a take in words, and the code of its music. Raises FootlightError for names of another form."""
    parts = name.split("_")
    genre = GENRES.get(parts[0].removeprefix("g"))
    music = [part for part in parts if len(part) == 4 and part[0] == "m" and part[1:3] in GENRES and part[3].isdigit()]
    if genre is None or len(music) != 1:
        raise FootlightError(f"{name}: no name as AIST++ gives them (gBR_sBM_cAll_d04_mBR0_ch01); rename the file")
    return genre, music[0]


def tempo_of(code: str) -> float:
    """The tempo of a piece by its code, in beats a minute, or 0 for an unknown code.

    The six pieces of a genre run from 80 to 130, those of house from 110 to 135 (Tsuchida et al. 2019).
    """
    number = int(code[3])
    if number > 5:
        return 0.0
    return 110.0 + 5 * number if code[1:3] == "HO" else 80.0 + 10 * number


def _files(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """The files of a folder by name without suffix. Where several have one name, the first suffix wins.

    Raises FootlightError for a folder without any.
    """
    found: dict[str, Path] = {}
    for suffix in reversed(suffixes):
        found |= {path.stem: path for path in sorted(folder.glob("*")) if path.suffix.lower() == suffix}
    if not found:
        raise FootlightError(f"{folder}: holds no {' or '.join(suffixes)} file; expected AIST++ as it is published")
    return found


def _splits(folder: Path) -> dict[str, list[str]]:
    """The splits whose lists name each take."""
    named: dict[str, list[str]] = {}
    for split in SPLITS:
        for name in _names(folder / "splits" / f"crossmodal_{split}.txt"):
            named.setdefault(name, []).append(split)
    return named


def _ignored(folder: Path) -> set[str]:
    """The takes to ignore. The list is published beside the motions, but some copies keep it with the splits."""
    moved = folder / "splits" / "ignore_list.txt"
    return set(_names(moved if moved.is_file() else folder / "ignore_list.txt"))


def _split_of(name: str, splits: dict[str, list[str]], path: Path) -> str:
    """The one split of a take whose file exists. Raises FootlightError with the reason not to use it."""
    where = splits.get(name, [])
    if not where:
        raise FootlightError("in none of the three split lists")
    if len(where) > 1:
        raise FootlightError(f"in more than one split list: {' and '.join(where)}")
    if not path.is_file():
        raise FootlightError(f"in the {where[0]} list, but there is no such file")
    return where[0]


def _names(path: Path) -> list[str]:
    """The names that a list holds, each once. Raises FootlightError when there is no such list."""
    if not path.is_file():
        raise FootlightError(f"{path}: no such file; download the lists of AIST++ too")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise FootlightError(f"{path}: cannot be read as text; download it again") from None
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))
