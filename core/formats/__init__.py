"""File formats of motion and scores: BVH, NPZ, OpenPose, MIDI and audio; and the motion of other bodies."""
