"""The extension's front door: Blender registers this folder, and ``blender_addon`` does the work.

The import stays inside the functions so that tools which merely find this file do not need Blender.
"""


def register() -> None:
    from .blender_addon import registration

    registration.register()


def unregister() -> None:
    from .blender_addon import registration

    registration.unregister()
