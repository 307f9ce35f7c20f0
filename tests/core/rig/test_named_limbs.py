"""What is missing of a body whose joints have names."""

from core.rig import named_limbs
from tests.core.rig.test_humanoid import OURS, renamed, sided


def test_what_is_missing_is_told_in_the_rigs_own_names():
    names = sided("Hips Spine Spine1 Spine2 Neck Head", "UpLeg_{S}", "Leg_{S}", "Foot_{S}", "ToeBase_{S}",
                  "Shoulder_{S}", "Arm_{S}", "ForeArm_{S}", "Hand_{S}")  # fmt: skip
    skeleton = renamed(names | {"right_knee": "stick", "left_elbow": None})
    assert named_limbs.lacking(skeleton).endswith("but no left forearm, no right shin)")
    assert named_limbs.counterparts(skeleton) == ("ForeArm_R", "Leg_L")
    two = OURS | {"left_hip": "UpLeg.L", "right_hip": "UpLeg.R", "left_knee": "Leg.L", "right_knee": None}
    assert named_limbs.lacking(renamed(two)).endswith("but no right shin)"), "legs and arms by two families"
