"""Tables of figures that are known."""

from train.evaluation.dance import tables


def test_diversity_stands_beside_that_of_training_capture():
    """Of whole dances and of windows, as a multiple; training capture has a row of its own, papers have no multiple."""
    known = {"diversity_inter_real": 8.0, "diversity_windows_real": 10.0, "mean_kld_real": 2.0, "accuracy": 0.5}
    known |= {"accuracy_chance": 0.25, "accuracy_takes": 3}
    ours = {"embedding": known | {"fid": 3.0, "diversity_inter": 6.4, "diversity_windows": 9.0, "mean_kld": 1.0}}
    table = tables.momu_6({"systems": {"ours": ours, "flat": {}}, "capture": {"sets": {}}})
    rows = {row[0]: dict(zip(table.headers[1:4], row[1:4], strict=True)) for row in table.rows}
    assert rows["ours"] == {"FID": "3.00", "Diversity": "6.40", "x capture's": "0.80 x"}
    assert rows["motion capture, train"] == {"FID": "–", "Diversity": "8.00", "x capture's": "1.00 x"}
    assert rows["MoMu-Diffusion (paper, AIST++)"] == {"FID": "7.3", "Diversity": "52.7", "x capture's": "–"}
    assert set(rows["flat"].values()) == {"–"} and table.quoted == 3
    windows = {row[0]: row[table.headers.index("of windows") + 1] for row in table.rows}
    assert windows["ours"] == "0.90 x" and "0.50 on 3 held-out takes" in table.note
    bare = tables.momu_6({"systems": {"ours": {}}, "capture": {"sets": {}}})
    assert [row[0] for row in bare.rows[: -bare.quoted]] == ["ours", "motion capture, val"]
