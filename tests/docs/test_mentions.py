"""Files, modules and names of the code that pages and docstrings mention are there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, text_of

ROOMS = ("core", "train", "blender_addon")
SOURCES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]

_FILE = re.compile(r"(?:core|train|blender_addon|tests|docs)(?:/[\w.-]+)+/?")
_NAME = re.compile(r"((?:core|train|blender_addon)(?:\.\w+)+)(?:\(.*\))?")


def is_there(mentioned: str) -> bool:
    """Whether a mention is of something that there is; true of what is no mention of ours."""
    if _FILE.fullmatch(mentioned):
        return (ROOT / mentioned).exists()
    name = _NAME.fullmatch(mentioned)
    return name is None or _resolves(name[1].split("."))


def _resolves(parts: list[str]) -> bool:
    """Whether a dotted name is a module, or a name in the longest part of it that is one."""
    for count in range(len(parts), 0, -1):
        folder, rest = ROOT.joinpath(*parts[:count]), parts[count:]
        for module in (folder.with_suffix(".py"), folder / "__init__.py"):
            if module.is_file():
                return not rest or ".".join(rest) in _names(module) or rest[0] in _imported(module)
    return False


@cache
def _names(module: Path) -> set[str]:
    """What a module defines: "name", and "Class.name" for methods and fields."""
    found: set[str] = set()
    for node in _parsed(module).body:
        found |= set(_defined(node))
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}" for inner in node.body for name in _defined(inner)}
    return found


@cache
def _imported(module: Path) -> set[str]:
    imports = (node for node in _parsed(module).body if isinstance(node, ast.Import | ast.ImportFrom))
    return {alias.asname or alias.name for node in imports for alias in node.names}


@cache
def _parsed(module: Path) -> ast.Module:
    return ast.parse(module.read_text("utf-8"))


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    yield from (target.id for target in targets if isinstance(target, ast.Name))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_pages_mention_is_there(page):
    assert [one for one in re.findall(r"`([^`\n]+)`", text_of(page)) if not is_there(one)] == []


def test_what_docstrings_mention_is_there():
    mentions = {(path, one) for path in SOURCES for one in re.findall(r"``([^`\n]+)``", path.read_text("utf-8"))}
    assert sorted(f"{path.relative_to(ROOT)}: {one}" for path, one in mentions if not is_there(one)) == []
    assert sum(bool(_NAME.fullmatch(one)) for _, one in mentions) > 100, "they are recognised"


@pytest.mark.parametrize(
    ("mentioned", "there"),
    [
        ("core/types.py", True),
        ("core/rig", True),
        ("core/rig/bodies.py", False),
        ("core.types", True),
        ("core.types.Motion", True),
        ("core.types.Motion.frames", True),
        ("core.types.Motion.frame_count", False),
        ("core.types.Movement", False),
        ("core.pipeline.generate_dance(model, song)", True),
        ("core.postprocessing", False),
        ("core dance song.mp3", True),
    ],
)
def test_mentions_are_told_apart(mentioned, there):
    assert is_there(mentioned) == there
