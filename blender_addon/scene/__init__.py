"""What reads and writes Blender's data, callable from any script: the operators are thin covers of this."""
