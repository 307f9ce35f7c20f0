"""Speaks the engine's protocol and does what the song's name says: for what a real engine does only by accident."""

import json
import os
import shutil
import sys
import time
from pathlib import Path


def say(**event):
    print(json.dumps(event), flush=True)


say(type="ready", version="test", device="cpu")
for line in sys.stdin:
    message = json.loads(line)
    if message["op"] == "cancel":
        say(type="cancelled", id=message["id"])
        continue
    if message["op"] not in ("dance", "beats"):
        continue
    number, how = message["id"], Path(message["song"]).stem
    say(type="progress", id=number, stage="dancing", fraction=0.5)
    if how == "die":
        print("RuntimeError: out of memory", file=sys.stderr, flush=True)
        os._exit(9)
    if how == "hang":
        time.sleep(3600)
    if how == "wait":
        continue
    if how == "refuse":
        say(type="error", id=number, kind="input", message="the song is silent")
        continue
    if "out" in message:
        shutil.copy(Path(os.environ["FOOTLIGHT_TEST_FOLDER"]) / "dance.safetensors", message["out"])
    say(type="done", id=number, out=message.get("out"), score={"beat": 0.5}, beats=[0.5, 1.0], tempo=120.0)
