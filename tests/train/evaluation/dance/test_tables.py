"""Tables of figures that are known."""

from train.evaluation.dance import footwork, momu


def test_diversity_stands_beside_that_of_training_capture():
    """Of whole dances and of windows, as a multiple; training capture has a row of its own, papers have no multiple."""
    known = {"diversity_inter_real": 8.0, "diversity_windows_real": 10.0, "mean_kld_real": 2.0, "accuracy": 0.5}
    known |= {"accuracy_chance": 0.25, "accuracy_takes": 3}
    ours = {"embedding": known | {"fid": 3.0, "diversity_inter": 6.4, "diversity_windows": 9.0, "mean_kld": 1.0}}
    table = momu.momu_6({"systems": {"ours": ours, "flat": {}}, "capture": {"sets": {}}})
    rows = {row[0]: dict(zip(table.headers[1:4], row[1:4], strict=True)) for row in table.rows}
    assert rows["ours"] == {"FID": "3.00", "Diversity": "6.40", "x capture's": "0.80 x"}
    assert rows["motion capture, train"] == {"FID": "–", "Diversity": "8.00", "x capture's": "1.00 x"}
    assert rows["MoMu-Diffusion (paper, AIST++)"] == {"FID": "7.3", "Diversity": "52.7", "x capture's": "–"}
    assert set(rows["flat"].values()) == {"–"} and table.quoted == 3
    windows = {row[0]: row[table.headers.index("of windows") + 1] for row in table.rows}
    assert windows["ours"] == "0.90 x" and "0.50 on 3 held-out takes" in table.note
    bare = momu.momu_6({"systems": {"ours": {}}, "capture": {"sets": {}}})
    assert [row[0] for row in bare.rows[: -bare.quoted]] == ["ours", "motion capture, val"]


ROW = {"steps": 2.0, "still": 0.1, "travel": 0.3, "height_range": 0.1, "knee_range": 1.0, "frozen": 0.4}
REAL = {**ROW, "frozen": 0.9, "foot_skating": 0.2}


def test_a_style_like_its_capture_is_not_marked():
    assert footwork.outside(REAL | {"frozen": 0.5}, REAL) == set()
    for name in ("steps", "travel", "height_range", "knee_range"):
        for share in (0.801, 1.249):
            assert footwork.outside({**ROW, name: share * REAL[name]}, REAL) == set()
        for share in (0.799, 1.251):
            assert footwork.outside({**ROW, name: share * REAL[name]}, REAL) == {name}


def test_standing_freezing_and_skating_are_marked_on_one_side_alone():
    assert footwork.outside({**ROW, "still": 0.21}, REAL) == {"still"}
    assert footwork.outside({**ROW, "still": 0.19}, REAL) == footwork.outside({**ROW, "still": 0.0}, REAL) == set()
    assert footwork.outside({**ROW, "frozen": 0.51}, REAL) == {"frozen"}
    assert footwork.outside({**ROW, "foot_skating": 0.21}, REAL) == {"foot_skating"}
    assert footwork.outside({**ROW, "foot_skating": 0.0}, REAL) == set()


def test_marks_stand_in_their_cells_and_are_counted():
    made = {"salsa": {"footwork": ROW | {"steps": 1.0, "frozen": 0.6}, "foot_skating": 0.1}}
    capture = {"footwork": ROW, "mean": {"foot_skating": 0.2}}
    report = {"systems": {"ours": {"genres": made}}}
    report["capture"] = {"all": capture, "val": None, "genres": {"salsa": {"all": capture}}}
    table = footwork.footwork_tables(report)[1]
    style, real = table.rows
    shown = dict(zip(table.headers, style, strict=True))
    assert shown["steps / s"] == "1.00 (0.50 x) !" and shown["frozen"] == "0.60 (1.50 x) !"
    assert shown["foot skating"] == "0.10 (0.50 x)" and shown["outside"] == "2 of 7"
    assert "!" not in "".join(real) and "0.8 to 1.25" in table.note
