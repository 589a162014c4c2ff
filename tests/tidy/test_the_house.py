"""The house stands as designed: arrows only downwards, one importer of simpy, no stray clocks."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MAY_IMPORT = {
    "engine": set(),
    "sim": set(),
    "reports": set(),
    "scenarios": set(),
    "emulators": {"sim"},
    "rpolab": {"emulators", "engine", "reports", "scenarios", "sim"},
}
SIMULATED = ("sim", "emulators", "engine")
OUTSIDE_SIMULATION = {"engine/live"}
CLOCKS_AND_CHANCE = {"random", "time", "uuid", "secrets"}
THE_IMPORTER_OF = {"simpy": "sim/kernel.py", "random": "sim/streams.py"}
MODULE_LINES_MAX = 400
COLUMNS_MAX = 100


def modules(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found, f"no modules in {folders}"
    return found


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno}: a relative import"
            assert node.module is not None
            yield node.lineno, node.module


@pytest.mark.parametrize("folder", sorted(MAY_IMPORT))
def test_a_folder_imports_only_what_lies_below_it(folder):
    forbidden = set(MAY_IMPORT) - MAY_IMPORT[folder] - {folder}
    wrong = [
        f"{name_of(path)}:{line} imports {module}"
        for path in modules(folder)
        for line, module in imports(path)
        if module.split(".")[0] in forbidden
    ]
    assert not wrong


ROOMS_MAY_IMPORT = {
    "emulators/ese": {
        "formats": set(),
        "trees": {"formats"},
        "integrity": {"formats"},
        "maintenance": {"formats", "trees", "integrity"},
        "running": {"formats", "trees"},
        "recovery": {"formats", "trees"},
        "tools": {"formats", "trees", "integrity", "maintenance", "recovery"},
    },
    "engine": {
        "basics": set(),
        "contract": {"basics"},
        "formats": {"basics"},
        "history": {"basics", "formats"},
        "capture": {"basics", "contract", "formats", "history"},
        "journal": {"basics", "contract", "formats", "history"},
        "layers": {"basics", "contract", "formats", "history", "journal"},
        "images": {"basics", "contract", "formats", "history", "journal", "layers"},
        "points": {"basics", "formats", "history", "journal"},
        "retention": {"basics", "contract", "formats", "history", "journal", "layers", "points"},
        "resync": {
            "basics",
            "contract",
            "formats",
            "history",
            "capture",
            "journal",
            "layers",
            "images",
            "points",
        },
        "session": {"basics", "contract", "formats", "capture", "journal", "resync"},
        "health": {
            "basics",
            "contract",
            "formats",
            "history",
            "capture",
            "journal",
            "images",
            "points",
            "session",
        },
        "copies": {
            "basics",
            "contract",
            "formats",
            "history",
            "capture",
            "journal",
            "layers",
            "retention",
        },
        "failover": {
            "basics",
            "contract",
            "formats",
            "history",
            "capture",
            "journal",
            "layers",
            "images",
            "points",
        },
        "live": {"basics", "contract"},
    },
}


@pytest.mark.parametrize(
    ("house", "room"),
    [(house, room) for house, rooms in ROOMS_MAY_IMPORT.items() for room in rooms],
)
def test_inside_a_house_of_rooms_imports_go_downwards_too(house, room):
    rooms = ROOMS_MAY_IMPORT[house]
    package = house.replace("/", ".") + "."
    forbidden = set(rooms) - rooms[room] - {room}
    wrong = [
        f"{name_of(path)}:{line} imports {module}"
        for path in modules(f"{house}/{room}")
        for line, module in imports(path)
        if module.startswith(package) and module.removeprefix(package).split(".")[0] in forbidden
    ]
    assert not wrong


def test_every_room_of_the_engine_has_its_place_in_the_order():
    rooms = {path.name for path in (ROOT / "engine").iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(ROOMS_MAY_IMPORT["engine"])


@pytest.mark.parametrize("library", sorted(THE_IMPORTER_OF))
def test_a_library_that_could_break_determinism_has_one_importer(library):
    importers = {
        name_of(path)
        for path in modules(*MAY_IMPORT)
        for _, module in imports(path)
        if module.split(".")[0] == library
    }
    assert importers == {THE_IMPORTER_OF[library]}


def simulated_modules() -> list[Path]:
    """Every module but the one that reads the real clock, and the engine's live drivers."""
    faces = {"rpolab/wall_clock.py"}
    return [
        path
        for path in modules(*SIMULATED, "rpolab")
        if name_of(path) not in faces
        and not any(name_of(path).startswith(place) for place in OUTSIDE_SIMULATION)
    ]


def test_simulated_code_has_no_clock_and_no_chance_of_its_own():
    allowed = {(THE_IMPORTER_OF["random"], "random")}
    wrong = [
        f"{name_of(path)}:{line} imports {module}"
        for path in simulated_modules()
        for line, module in imports(path)
        if module.split(".")[0] in CLOCKS_AND_CHANCE and (name_of(path), module) not in allowed
    ]
    assert not wrong


def test_simulated_code_never_asks_what_day_it_is():
    asks = {"now", "utcnow", "today"}
    wrong = [
        f"{name_of(path)}:{node.lineno} calls .{node.func.attr}()"
        for path in simulated_modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in asks
    ]
    assert not wrong


def test_no_module_is_longer_than_four_hundred_lines():
    long = {
        name_of(path): lines
        for path in modules(*MAY_IMPORT, "tests")
        if (lines := path.read_text(encoding="utf-8").count("\n")) > MODULE_LINES_MAX
    }
    assert not long


def test_no_line_is_wider_than_a_hundred_columns():
    wide = [
        f"{name_of(path)}:{number}"
        for path in modules(*MAY_IMPORT, "tests")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > COLUMNS_MAX
    ]
    assert not wide


def test_every_package_and_module_says_what_it_is():
    silent = [
        name_of(path)
        for path in modules(*MAY_IMPORT)
        if not (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").strip()
    ]
    assert not silent


def test_nothing_is_left_to_be_written():
    banned = ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")
    left = [
        f"{name_of(path)}:{number} {word}"
        for path in modules(*MAY_IMPORT, "tests")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for word in banned
        if word in line
    ]
    assert not left
