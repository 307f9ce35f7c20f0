"""The panel's numbers are those of the requests."""

import dataclasses

import bpy
from scenes import addon

protocol, props = addon("shared").protocol, addon("props")
LARGEST_INT = 2**31 - 1  # of Blender's own fields
SHOWN = {
    "seed": (protocol.Sampling, "seed"),
    "guidance": (protocol.Sampling, "guidance"),
    "duet_seconds": (protocol.DuetOptions, "seconds"),
    "beat_snap": (protocol.DanceOptions, "beat_snap"),
}


def check_bounds_defaults_and_help_are_those_of_the_requests():
    shown = bpy.context.scene.footlight.bl_rna.properties
    for name, (kind, field) in SHOWN.items():
        rule, default = protocol.rule(kind, field), protocol.default(kind, field)
        assert shown[name].hard_min == rule.least, name
        assert shown[name].hard_max == min(rule.most, LARGEST_INT), name
        assert abs(shown[name].default - (0 if default is None else default)) < 1e-6, name
        assert shown[name].description.lower().startswith(rule.help), name


def check_every_number_of_a_request_is_shown_or_known_not_to_be():
    """fps is the scene's, start and seconds the strip's, steps a choice of quality; the switch has no widget."""
    elsewhere = {"fps", "start", "seconds", "steps", "switch"}
    numbers = {
        field
        for kind in protocol.REQUESTS.values()
        for field in (field.name for field in dataclasses.fields(kind))
        if protocol.rule(kind, field).bounded
    }
    assert numbers - elsewhere == {field for _, field in SHOWN.values()} - {"seconds"}
    for steps in props.STEPS.values():
        protocol.check(protocol.Sampling, steps=steps)
