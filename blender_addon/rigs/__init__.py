"""Bodies and bones as data and arithmetic: numpy only, no bpy."""
