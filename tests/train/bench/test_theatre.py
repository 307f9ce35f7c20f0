"""What theatres cost beside a dance: by a clock that only they move, and a tiny theatre from end to end."""

import torch

from train.bench import theatre


def test_the_first_time_does_not_count_and_all_are_made_in_turn(monkeypatch):
    clock, made = [0.0], []

    def lasting(name: str, seconds: float):
        def make() -> None:
            made.append(name)
            clock[0] += seconds * (50 if len(made) <= 2 else 1)

        return make

    monkeypatch.setattr(theatre.time, "process_time", lambda: clock[0])
    make = {theatre.DANCE: lasting("dance", 0.5), "theatre": lasting("theatre", 2.0)}
    taken = theatre.processor_seconds(make, 3)
    assert taken == {theatre.DANCE: 0.5, "theatre": 2.0} and made == ["dance", "theatre"] * 4
    assert theatre.table(taken).splitlines()[-1].split() == ["theatre", "2.00", "4.0"]


def test_theatres_are_timed_in_one_thread(theatre_folder, model_folder, capsys):
    threads = torch.get_num_threads()
    words = (f"{theatre_folder}=few@steps=1", f"{theatre_folder}=many@steps=24,sampler=ddim")
    taken = theatre.main(theatre.Bench(words, dancer=str(model_folder), runs=1, seconds=4.0))
    assert list(taken) == [theatre.DANCE, "few", "many"] and min(taken.values()) > 0
    assert torch.get_num_threads() == threads and "times the dance" in capsys.readouterr().out
