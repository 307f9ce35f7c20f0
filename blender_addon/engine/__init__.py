"""The other process: how it is started, spoken to, watched and ended. No bpy here."""
