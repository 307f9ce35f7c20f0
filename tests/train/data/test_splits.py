"""What is validated on."""

from train.data.splits import trained_on, validated_on


def test_where_nothing_is_held_out_the_longest_serve_and_that_is_said(capsys):
    songs = ["a", "cccc", "bb"]
    made = validated_on({"train": songs, "val": []}, "songs", len)
    assert made["train"] == songs and made["val"] == ["cccc", "bb", "a"]
    assert "no songs are held out" in capsys.readouterr().out
    held = {"train": songs, "val": ["d"]}
    assert validated_on(held, "songs", len) is held and capsys.readouterr().out == ""
    assert validated_on({"train": [], "val": []}, "songs", len)["val"] == []


def test_what_would_all_be_held_out_is_trained_on():
    assert trained_on({"train": [], "val": ["d"], "test": []}) == {"train": ["d"], "val": [], "test": []}
    held = {"train": ["a"], "val": ["d"]}
    assert trained_on(held) is held
