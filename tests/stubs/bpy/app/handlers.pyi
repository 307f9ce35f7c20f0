from collections.abc import Callable
from typing import TypeVar

Handler = TypeVar("Handler", bound=Callable)

def persistent(function: Handler) -> Handler: ...

load_post: list[Callable]
load_pre: list[Callable]
