"""How a program of the training room ends, seen from outside."""

import os
import signal
import subprocess
import sys
import time

import pytest

PROGRAM = """
import dataclasses, signal, time
from pathlib import Path
from core.errors import FootlightError
from train.command import run_program

@dataclasses.dataclass
class Options:
    what: str  # to do

    def __post_init__(self):
        if self.what == "nothing":
            raise FootlightError("there is something to do")

def main(options):
    if options.what == "wait":
        print("waiting", flush=True)
        time.sleep(60)
    if options.what == "refuse":
        raise FootlightError("this was\\ngiven, that was expected")
    if options.what == "write":
        Path("/proc/none/at/all").mkdir(parents=True)
    if options.what == "fail":
        raise OSError("a fault of ours")
    print("done")

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background lets its children ignore it
run_program("train.sample", main, Options, "Does ``nothing``.")
"""


def start(*words):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(
    ("words", "code", "said", "told"),
    [
        (["--what", "work"], 0, "done\n", ""),
        (["--what", "nothing"], 2, "", "train.sample: there is something to do\n"),
        (["--what", "refuse"], 2, "", "train.sample: this was given, that was expected\n"),
    ],
)
def test_bad_input_is_one_line(words, code, said, told):
    process = start(*words)
    assert process.communicate(timeout=60) == (said, told) and process.returncode == code


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="no folder in which even root makes no other")
def test_a_place_that_cannot_be_written_is_one_line():
    process = start("--what", "write")
    said, told = process.communicate(timeout=60)
    assert (
        process.returncode == 2 and told.startswith("train.sample: /proc/none") and told.count("\n") == 1 and not said
    )


def test_what_is_our_own_fault_keeps_its_traceback():
    process = start("--what", "fail")
    assert "Traceback" in process.communicate(timeout=60)[1] and process.returncode == 1


def test_the_help_is_for_people():
    said, told = start("--help").communicate(timeout=60)
    assert "usage: python -m train.sample" in said and "Does nothing." in said and told == ""


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_is_no_traceback():
    process = start("--what", "wait")
    assert process.stdout is not None and process.stdout.readline() == "waiting\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("", "train.sample: interrupted\n") and process.returncode == 130
