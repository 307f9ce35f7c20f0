"""The parts of ``train.render_batch``. Blender's own Python runs them: they need bpy and numpy, and no torch."""
