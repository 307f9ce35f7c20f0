"""What Footlight does, as functions: for scripts without a window, for the batch, and for the operators.

Each of ``dance``, ``score``, ``duet`` and ``beats`` has two functions. ``request`` checks everything and returns what
the result is for (a ``Target``) and what is asked of the engine. ``write`` takes that target and the engine's answer
and puts the result into the scene. ``worker`` starts the engine and waits for its answer. All of them raise
``UserError``, or its base ``FootlightError`` where an option is out of its bounds. None of them knows a panel, an
operator, or the session of a Blender with a window.

``docs/scripting.md`` has an example.
"""
