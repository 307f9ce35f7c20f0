"""A scene beside the user's, in which time and strips may be moved about while theirs stays as it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import bpy


@contextlib.contextmanager
def copied(scene: bpy.types.Scene, *, objects: bool) -> Iterator[bpy.types.Scene]:
    """A copy of ``scene``, with its objects or with none, for as long as it is needed."""
    copy = scene.copy()
    try:
        if not objects:
            for child in list(copy.collection.children):
                copy.collection.children.unlink(child)
            for ob in list(copy.collection.objects):
                copy.collection.objects.unlink(ob)
        yield copy
    finally:
        bpy.data.scenes.remove(copy)
