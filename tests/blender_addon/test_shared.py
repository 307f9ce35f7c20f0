"""The add-on's door to the core, from a checkout; ``inside/check_rigs.py`` goes through it when installed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_from_a_checkout_it_opens_core_and_starts_no_torch():
    program = (
        "import sys; before = list(sys.path); from blender_addon import shared; "
        "assert shared.skeleton.__name__ == 'core.rig.skeleton' and len(shared.skeleton.JOINTS) == 22; "
        "assert not {'torch', 'bpy'} & sys.modules.keys() and sys.path == before"
    )
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
