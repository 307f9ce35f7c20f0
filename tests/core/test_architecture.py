"""The law of the house: who may import whom, read from the source."""

import ast
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "errors", "records", "protocol", "arguments", "containers", "grid", "progress", "rig", "edits", "show", "types",
    "results", "format1", "config", "files", "checkpoint", "layers", "audio", "motion", "rhythm", "light",
    "autoencoder", "diffusion", "theatre", "vocoder", "formats", "postprocess", "metrics", "pipeline", "bench",
    "serving", "engine", "cli", "__main__",
)  # fmt: skip

SHARED = tuple(
    f"core.{room}"
    for room in ("errors", "records", "protocol", "arguments", "containers", "grid", "rig", "edits", "show", "files")
)
"""What Blender imports too, through ``blender_addon/shared.py``."""


def imported(path: Path) -> set[str]:
    """Every module that a file names in an import, inside functions too; relative ones made absolute."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *(node.module.split(".") if node.module else ())))
            found |= {module} | {f"{module}.{name.name}" for name in node.names}
    return found


def files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "core" and len(parts) > 1 and parts[1] in ROOMS else None


@pytest.mark.parametrize("path", files("core"), ids=lambda p: str(p.relative_to(ROOT)))
def test_core_imports_only_downwards(path):
    parts = path.relative_to(ROOT / "core").with_suffix("").parts
    if parts[0] == "__init__":
        return
    own = ROOMS.index(parts[0])  # a room that is not in the list is a room that nobody decided on
    modules = imported(path)
    assert not {m.split(".")[0] for m in modules} & {"bpy", "train", "blender_addon", "lightning_fabric"}
    upwards = {m for m in modules if (room := room_of(m)) and ROOMS.index(room) > own}
    assert not upwards, f"{path.name} imports {sorted(upwards)}, which stand below it"


def test_the_documentation_lists_the_rooms_in_this_order():
    text = (ROOT / "docs" / "architecture.md").read_text()
    block = text.split("    core/\n", 1)[1].split("\n\n", 1)[0]
    listed = [line.split()[0] for line in block.splitlines() if line.startswith("      ") and line[6] != " "]
    assert [name.removesuffix("/").removesuffix(".py") for name in listed] == list(ROOMS)


def test_the_engine_starts_without_heavy_imports():
    seen, queue = set(), ["core.serving"]
    heavy = {"librosa", "numba", "sklearn", "scipy", "matplotlib", "mir_eval"}
    while queue:
        module = queue.pop()
        path = ROOT.joinpath(*module.split("."))
        source = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
        if module in seen or not source.is_file():
            continue
        seen.add(module)
        tree = ast.parse(source.read_text())
        for node in tree.body:  # only what is imported at once
            names = []
            if isinstance(node, ast.Import):
                names = [n.name for n in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{n.name}" for n in node.names)]
            assert not {n.split(".")[0] for n in names} & heavy, f"{source} imports {names}"
            queue += [n for n in names if n.startswith("core")]
    assert "core.pipeline" in seen


SHARED_FILES = [
    *(ROOT / "core" / f"{room}.py" for room in ("errors", "records", "arguments", "files")),
    *files("core/protocol"),
    *files("core/containers"),
    *files("core/grid"),
    *files("core/edits"),
    *files("core/rig"),
    *files("core/show"),
]


@pytest.mark.parametrize("path", SHARED_FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_blender_shares_needs_numpy_alone(path):
    """Inside Blender's extension these have another name than here, so that they import each other relatively."""
    tree = ast.parse(path.read_text())
    absolute = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    absolute |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    assert {m.split(".")[0] for m in absolute} <= {"numpy", *sys.stdlib_module_names}
    assert all(m.startswith(SHARED) for m in imported(path) - absolute if m.startswith("core.")), "only each other"


@pytest.mark.parametrize("path", files("blender_addon"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_add_on_knows_no_torch_and_of_core_what_is_shared(path):
    modules = imported(path)
    assert not {m.split(".")[0] for m in modules} & {"torch", "train", "safetensors", "librosa"}
    of_core = {m for m in modules if m.split(".")[0] == "core"}
    assert not of_core or path == ROOT / "blender_addon" / "shared.py", "shared.py is the one door"
    assert all(m.startswith(SHARED) for m in of_core - {"core"})
    parts = path.relative_to(ROOT / "blender_addon").parts
    if parts[0] == "engine":
        assert not {m.split(".")[0] for m in modules} & {"bpy", "mathutils"}, "no bpy in engine"


@pytest.mark.parametrize(
    "path", [p for room in ("api", "scene", "stage") for p in files(f"blender_addon/{room}")], ids=lambda p: p.name
)
def test_what_scripts_call_knows_no_operator_and_no_session(path):
    """A script without a window calls these; panels, operators and the session stand below them."""
    below = {"session", "operators", "panels", "props", "preferences", "registration", "batch"}
    if path.parent.name != "api":
        below.add("api")
    modules = {m.split(".")[1] for m in imported(path) if m.startswith("blender_addon.")}
    assert not modules & below
    assert "ops.footlight" not in path.read_text()


def test_only_one_file_asks_for_the_version():
    asking = [p.relative_to(ROOT) for p in files("blender_addon") if "bpy.app.version" in p.read_text()]
    assert asking == [Path("blender_addon/scene/versions.py")]


def run_at_import(tree: ast.Module) -> list[ast.AST]:
    """The nodes of a module that run when it is imported: all but the bodies of functions, defaults included."""
    found, queue = [], [tree]
    while queue:
        node = queue.pop()
        found.append(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            queue += [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)]
        elif isinstance(node, ast.Lambda):
            queue += node.args.defaults
        else:
            queue += ast.iter_child_nodes(node)
    return found


def asks_for_a_signal(source: str) -> bool:
    """Whether a module takes the default ``SignalConfig``, or makes any when it is imported."""
    tree = ast.parse(source)

    def made(nodes: Iterable[ast.AST]) -> list[ast.Call]:
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        return [call for call in calls if getattr(call.func, "id", getattr(call.func, "attr", None)) == "SignalConfig"]

    return bool(made(run_at_import(tree))) or any(not call.args + call.keywords for call in made(ast.walk(tree)))


@pytest.mark.parametrize("path", [*files("core"), *files("train")], ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_has_a_signal_of_its_own(path):
    """It would stand for every model: one with another hop would be wrong in silence. Presets are what has one."""
    if path != ROOT / "core/config/presets.py":
        assert not asks_for_a_signal(path.read_text()), "give it as an argument"


@pytest.mark.parametrize(
    ("source", "asks"),
    [
        ("FPS = SignalConfig().motion_fps", True),
        ("def f(signal=config.SignalConfig()): pass", True),
        ("class A:\n    signal: SignalConfig = SignalConfig()", True),
        ("FPS = SignalConfig(hop_samples=160).mel_fps", True),
        ("def f(signal=None): signal = signal or SignalConfig()", True),
        ("class A:\n    make = lambda: SignalConfig()", True),
        ("def f(): return SignalConfig(hop_samples=160)", False),
        ("signal: SignalConfig", False),
    ],
)
def test_what_counts_as_a_signal_of_its_own(source, asks):
    assert asks_for_a_signal(source) == asks
