"""``python -m train.bench``: the table of speeds."""

from train.bench import speed
from train.command import run_program

if __name__ == "__main__":
    run_program("train.bench", speed.main, speed.Bench, speed.__doc__)
