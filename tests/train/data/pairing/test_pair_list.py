"""A CSV file that says which take was danced to which song."""

from __future__ import annotations

import pytest

from core.errors import FootlightError
from train.data.pairing.pair_list import read


def listing(folder, text, name="pairs.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def rows(path):
    return [(one.line, one.take.name, one.song.name, one.start, one.genre) for one in read(path)]


def test_a_list_is_read_as_a_spreadsheet_writes_it(tmp_path):
    """With commas, or with semicolons, decimal commas, a byte order mark and Windows' line ends."""
    wanted = [(2, "a.bvh", "s, live.mp3", 3.2, ""), (4, "b.bvh", "s, live.mp3", -1.5, "house")]
    plain = 'take,song,start,genre\na.bvh,"s, live.mp3",3.2,\n\nb.bvh,"s, live.mp3", -1.5 ,house\n'
    assert rows(listing(tmp_path, plain)) == wanted
    european = "Take;Song;Start;Genre\r\na.bvh;s, live.mp3;3,2\r\n;;;\r\nb.bvh;s, live.mp3;-1,5;house;\r\n"
    assert rows(listing(tmp_path, european, "european.csv", "utf-8-sig")) == wanted
    tabs = "song\ttake\ns, live.mp3\ta.bvh\n"
    assert rows(listing(tmp_path, tabs, "tabs.tsv")) == [(2, "a.bvh", "s, live.mp3", 0.0, "")]


def test_paths_count_from_the_folder_of_the_list(tmp_path):
    (one,) = read(listing(tmp_path, f"take,song\nmonday/a.bvh,{tmp_path / 'elsewhere.wav'}\n"))
    assert (one.take, one.song) == (tmp_path / "monday" / "a.bvh", tmp_path / "elsewhere.wav")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.bvh,s.wav,3\n", r"line 1: has the columns a\.bvh, s\.wav, 3; expected take and song, and start and genre"),
        ("take,start\na.bvh,3\n", "line 1: has the columns take, start"),
        ("take,song,offset\na.bvh,s.wav,3\n", "line 1: has the columns take, song, offset"),
        ("take,song,take\na.bvh,s.wav,b.bvh\n", "line 1: has the columns take, song, take"),
        ("", "line 1: has the columns nothing"),
        ("take,song\n\n", "lists nothing"),
        ("take,song\na.bvh\n", "line 2: no song"),
        ("take,song,start\na.bvh,s.wav,1\nb.bvh,s.wav,0:03\n", "line 3: start is '0:03'; expected seconds"),
        ("take,song,start\na.bvh,s.wav,nan\n", "line 2: start is 'nan'"),
        ("take,song,start\na.bvh,s.wav,3,2\n", "line 2: 4 fields for 3 columns; .*decimals with a point"),
        ("take,song\na.bvh,s.wav\na.bvh,s.wav\n", "line 3: says the same as line 2"),
    ],
)
def test_what_is_no_list_is_refused_with_the_number_of_the_line(tmp_path, text, said):
    with pytest.raises(FootlightError, match=said):
        read(listing(tmp_path, text))


def test_what_is_no_text_and_no_csv_is_refused(tmp_path):
    with pytest.raises(FootlightError, match="save it as CSV in UTF-8"):
        read(listing(tmp_path, "take,song\nä.bvh,s.wav\n", encoding="cp1252"))
    with pytest.raises(FootlightError, match=r"song\.wav: is no list of pairs"):
        read(listing(tmp_path, "take,song\na.bvh,s.wav\n", "song.wav"))
