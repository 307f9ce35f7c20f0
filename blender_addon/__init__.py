"""Footlight in Blender: from a song in the timeline to a dance on an armature.

The add-on never imports torch, nor anything of ``core`` but what ``shared`` opens, which needs numpy alone. It talks
to a process of its own (``python -m core.engine``) and writes what comes back. Rooms, from the bottom up:

    errors, names      words shared by every room
    engine/            the other process: client, job, installer (no bpy)
    shared             the one door to core.rig and core.errors: bodies, who is which bone, retargeting
    scene/             what reads and writes Blender's data: strips, rigs, actions, dancer, markers
    props, preferences, session, operators/, panels/
    registration       one list of classes, in order
"""
