"""Joint names of common rigs, without side, separators and prefixes."""

from __future__ import annotations

FAMILIES: dict[str, tuple[tuple[str, ...], ...]] = {
    # hip, knee, ankle, toe, collar, shoulder, elbow, wrist
    "motionbuilder": (  # MotionBuilder, Mixamo, Neo, Rokoko, CMU by B. Hahne
        ("upleg", "upperleg"), ("leg", "lowleg"), ("foot",), ("toebase", "toe"),
        ("shoulder", "collar", "clavicle"), ("arm",), ("forearm",), ("hand",),
    ),
    "anatomical": (  # SMPL, CMU for 3ds Max, Biovision, Xsens, Advanced Skeleton
        ("hip",), ("knee",), ("ankle", "foot"), ("foot", "toe", "toes", "toebase", "ball"),
        ("collar", "clavicle", "scapula", "clav"), ("shoulder",), ("elbow",), ("wrist", "hand"),
    ),
    "daz": (
        ("thigh", "thighbend"), ("shin",), ("foot",), ("toe",),
        ("collar",), ("shldr", "shldrbend"), ("forearm", "forearmbend"), ("hand",),
    ),
    "unreal": (
        ("thigh",), ("calf",), ("foot",), ("ball",), ("clavicle",), ("upperarm",), ("lowerarm",), ("hand",),
    ),
    "vrm": (  # VRM, Unity
        ("upperleg",), ("lowerleg",), ("foot",), ("toes", "toebase", "toe"),
        ("shoulder",), ("upperarm",), ("lowerarm",), ("hand",),
    ),
    "blender": (  # Rigify and its metarig, our dancer, DAZ Genesis 9
        ("thigh",), ("shin",), ("foot",), ("toe", "toes"),
        ("shoulder", "collar", "clavicle"), ("upperarm",), ("forearm",), ("hand",),
    ),
    "biped": (  # 3ds Max Biped, Valve, Character Creator
        ("thigh",), ("calf",), ("foot",), ("toe0", "toe", "toebase"),
        ("clavicle",), ("upperarm",), ("forearm",), ("hand",),
    ),
    "acclaim": (  # names of the CMU's own files
        ("femur",), ("tibia",), ("foot",), ("toes",), ("clavicle",), ("humerus",), ("radius",), ("wrist", "hand"),
    ),
    "xsens": (
        ("upperleg", "hip"), ("lowerleg", "knee"), ("foot", "ankle"), ("toe",),
        ("shoulder", "collar"), ("upperarm", "shoulder"), ("forearm", "elbow"), ("hand", "wrist"),
    ),
    "rokoko": (
        ("thigh",), ("shin",), ("foot",), ("toe",), ("shoulder",), ("arm",), ("forearm",), ("hand",),
    ),
    "ipi": (  # iPi Mocap Studio, Poser, Motive
        ("thigh",), ("shin",), ("foot",), ("toe",),
        ("clavicle", "collar"), ("shoulder",), ("forearm",), ("hand",),
    ),
    "motive": (
        ("thigh", "uleg"), ("shin", "lleg"), ("foot",), ("toe",), ("shoulder",), ("uarm",), ("farm", "larm"), ("hand",),
    ),
    "soma": (  # NVIDIA's SOMA skeleton, as Kimodo writes it
        ("leg",), ("shin",), ("foot",), ("toebase", "toe"), ("shoulder",), ("arm",), ("forearm",), ("hand",),
    ),
    "short": (
        ("upleg",), ("loleg", "lowleg", "dnleg"), ("foot",), ("toe",),
        ("clav", "clavicle", "collar"), ("uparm",), ("loarm", "lowarm", "dnarm"), ("hand",),
    ),
    "source 2": (
        ("legupper",), ("leglower",), ("ankle",), ("ball",), ("clavicle",), ("armupper",), ("armlower",), ("hand",),
    ),
    "synty": (
        ("upperleg",), ("lowerleg",), ("ankle", "foot"), ("ball", "toes"),
        ("clavicle", "clav"), ("shoulder",), ("elbow",), ("hand",),
    ),
    "cascadeur": (
        ("thigh",), ("calf",), ("foot",), ("toe",), ("clavicle",), ("arm",), ("forearm",), ("hand",),
    ),
    "vrchat": (  # and MikuMikuDance in English
        ("leg",), ("knee",), ("ankle",), ("toe",), ("shoulder",), ("arm",), ("elbow",), ("wrist",),
    ),
    "mmd": (
        ("足",), ("ひざ",), ("足首",), ("つま先", "足先"), ("肩",), ("腕",), ("ひじ",), ("手首",),
    ),
    "auto-rig pro": (
        ("thighstretch",), ("legstretch",), ("foot",), ("toes01",),
        ("shoulder",), ("armstretch",), ("forearmstretch",), ("hand",),
    ),
    "auto-rig pro controls": (
        ("thigh",), ("leg",), ("foot",), ("toes01",), ("shoulder",), ("arm",), ("forearm",), ("hand",),
    ),
    "makehuman": (  # its limbs are split in halves
        ("upperleg01",), ("lowerleg01",), ("foot",), ("toe11",),
        ("clavicle",), ("upperarm01",), ("lowerarm01",), ("wrist",),
    ),
}  # fmt: skip

HEADS = ({"head", "skull", "頭"}, {"spine006"})
"""Names of the head, the likelier ones first. spine.006 is Rigify's."""

PREFIXES = {
    "mixamorig", "bip", "biped", "j", "def", "org", "valve", "valvebiped", "cc", "base", "character", "skeleton", "b",
}  # fmt: skip
