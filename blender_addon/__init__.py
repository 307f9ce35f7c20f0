"""Footlight in Blender: from a song in the timeline to a dance on an armature.

The add-on never imports torch, nor anything of ``core`` but what ``shared`` opens, which needs numpy alone. It talks
to a process of its own (``python -m core.engine``) and writes what comes back. Rooms, from the bottom up:

    errors, names      words shared by every room
    shared             the one door to core: bodies, who is which bone, retargeting; what the engine can be asked
    styles, model      the styles in words; what a model's configuration says
    engine/            the other process: client, job, how long jobs take; its installer, which runs by itself (no bpy)
    environment        where the engine's Python, its files and its command are
    readiness, report  whether the engine can run, as far as is known; what to send to who is to help
    recent, links      the songs that were chosen last; addresses of the documentation
    scene/             what reads and writes Blender's data: songs, what is heard, music, rigs, actions, motion, dancer
    stage/             what a dance is filmed on, the camera, the film
    api/               dances, scores, duets and beats as functions: a request, and what is written of its answer; what
                       results keep of themselves
    props, preferences what the user chooses
    notices            the one error that is shown
    status_bar         what is drawn into Blender's status bar
    session            the one engine and the one job of a Blender with a window
    operators/         thin: the panel's settings to api, its requests to the session
    panels/            what the user sees
    registration       one list of classes, in order
    batch/             many songs, scenes or duets without a window; calls api and stage, and no operator
"""
