"""Footlight in Blender: from a song in the timeline to a dance on an armature.

The add-on never imports torch or ``core``. It talks to a process of its own (``python -m core.engine``)
and writes what comes back. Rooms, from the bottom up:

    errors, names      words shared by every room
    engine/            the other process: client, job, installer (no bpy)
    rigs/              the dancer's body, bone maps, retargeting, mannequin geometry (numpy only, no bpy)
    scene/             what reads and writes Blender's data: strips, actions, dancer, markers
    props, preferences, session, operators/, panels/
    registration       one list of classes, in order
"""
