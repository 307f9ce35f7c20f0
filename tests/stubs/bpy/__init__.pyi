# Blender's module is a binary without annotations: for the type checker every name in it is Any.
from typing import Any

def __getattr__(name: str) -> Any: ...
