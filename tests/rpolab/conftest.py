"""Packages that are installed for one test: a module, and the entry points of its classes."""

import sys

import pytest

from scenarios.hooks import load_hook


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    load_hook.cache_clear()
    yield
    load_hook.cache_clear()


@pytest.fixture
def bring(tmp_path, monkeypatch):
    """Installs a package: its module's text, and its entry points by group."""
    before = set(sys.modules)

    def install(name, text, **groups):
        folder = tmp_path / f"site-{name}"
        metadata = folder / f"{name}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [
            f"[rpolab.{group}]\n" + "".join(f"{kind} = {value}\n" for kind, value in kinds.items())
            for group, kinds in groups.items()
        ]
        (metadata / "entry_points.txt").write_text("\n".join(lines))
        monkeypatch.syspath_prepend(str(folder))
        return folder

    yield install
    for module in set(sys.modules) - before:
        if str(getattr(sys.modules[module], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[module]
