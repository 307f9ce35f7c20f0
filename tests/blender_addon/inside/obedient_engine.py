"""Speaks the engine's protocol and does what it is told: for what a real engine does only by accident.

Told by the song's name, and where there is no song by the file ``how`` in the test's folder. Every request is kept in
the file ``asked.json`` there, all of them as lines of ``asked.jsonl``, every motion as ``asked.npz``, and beats that
are given as ``asked_beats.json``. It hears the beats of ``heard.json``, if there is one, and does with a seed what
``seeds.json`` says of it. Told "early", alone or with another word, it hands on the first half of a dance if it is
asked for, and goes on when the file ``go`` is there. Told "gate" it waits for that file before it makes anything. Told
"dark" it leaves no light where it says.
"""

import json
import os
import shutil
import sys
import time
import wave
from pathlib import Path

FOLDER = Path(os.environ["FOOTLIGHT_TEST_FOLDER"])
RATE = 16_000
DANCE = {"frames": 60, "fps": 30.0, "metrics": {"beat": 0.5}, "style": None}
MUSIC = {"seconds": 2.0, "rate": RATE, "metrics": {"beat": 0.5}}
LIGHT = {"frames": 32, "fps": 15.625, "sections": [0.0], "look": "musical", "metrics": {"flashes": 0.0}}
ENERGY = {"metrics": {"energy_on_beats": 1.9}}
LIT = DANCE | ENERGY | {"look": "musical", "accent": "strike", "light_metrics": {"flashes": 0.0}}
ABOUT = {"dance": DANCE, "score": MUSIC, "duet": DANCE | MUSIC, "light": LIGHT, "theatre": LIT}


def say(**event):
    print(json.dumps(event), flush=True)


def how(message):
    return Path(message["song"]).stem if "song" in message else (FOLDER / "how").read_text()


def by_seed(message, name, otherwise):
    """What the file ``seeds.json`` says of a seed."""
    if not (FOLDER / "seeds.json").exists():
        return otherwise
    return json.loads((FOLDER / "seeds.json").read_text()).get(str(message.get("seed")), {}).get(name, otherwise)


def heard():
    if (FOLDER / "heard.json").exists():
        return json.loads((FOLDER / "heard.json").read_text())
    return {"beats": [0.5, 1.0], "downbeats": [True, False]}


def write_music(path, seconds):
    with wave.open(path, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(4 * round(seconds * RATE)))


def obey(message):
    """Leave the results where they were asked for; returns their paths."""
    if message["op"] == "score":
        import numpy as np

        shutil.copy(message["motion"], FOLDER / "asked.npz")
        motion = np.load(message["motion"])
        write_music(message["out"], len(motion["root"]) / float(motion["fps"]))
    elif message["op"] == "duet":
        shutil.copy(FOLDER / "dance.npz", message["out_motion"])
        write_music(message["out_music"], message["seconds"])
    elif message["op"] in ("dance", "theatre"):
        shutil.copy(FOLDER / "dance.npz", message["out"])
    if message.get("out_light") and how(message) != "dark":
        shutil.copy(FOLDER / "SHOW.json", message["out_light"])
    return {name: message[name] for name in ("out", "out_light", "out_motion", "out_music") if name in message}


def hand_on_first_half(message, number):
    import numpy as np

    with np.load(FOLDER / "dance.npz") as file:
        whole = dict(file)
    half = len(whole["root"]) // 2
    np.savez(message["preview"], **{**whole, "rotations": whole["rotations"][:half], "root": whole["root"][:half]})
    lit = message.get("preview_light")
    if lit:
        shutil.copy(FOLDER / "SHOW.json", lit)
    say(type="preview", id=number, out=message["preview"], frames=half, fps=30.0, style="pop", out_light=lit)
    while not (FOLDER / "go").exists():
        time.sleep(0.01)


say(type="ready", version="test", protocol=6, device="cpu")
for line in sys.stdin:
    message = json.loads(line)
    number = message["id"]
    if message["op"] == "cancel":
        say(type="cancelled", id=number)
        continue
    if message["op"] not in ("dance", "beats", "score", "duet", "light", "theatre"):
        continue
    (FOLDER / "asked.json").write_text(json.dumps(message))
    with (FOLDER / "asked.jsonl").open("a") as file:
        file.write(json.dumps(message) + "\n")
    if message.get("beats"):
        shutil.copy(message["beats"], FOLDER / "asked_beats.json")
    say(type="progress", id=number, stage="at work", fraction=0.5)
    told = by_seed(message, "how", how(message))
    if told.startswith("early"):
        told = told.removeprefix("early").strip()
        if message.get("preview"):
            hand_on_first_half(message, number)
    if told == "die":
        print("RuntimeError: out of memory", file=sys.stderr, flush=True)
        os._exit(9)
    if told == "hang":
        time.sleep(3600)
    if told == "wait":
        continue
    while told == "gate" and not (FOLDER / "go").exists():
        time.sleep(0.01)
    if told == "slow":
        time.sleep(0.3)
    if told == "refuse":
        say(type="failed", id=number, kind="input", message="the song is silent")
        continue
    made = {**obey(message), **ABOUT.get(message["op"], {}), **heard()}
    if "beat" in made.get("metrics", ()):
        made["metrics"] = {"beat": by_seed(message, "beat", made["metrics"]["beat"])}
    say(type="done", op=message["op"], id=number, **made, tempo=120.0)
