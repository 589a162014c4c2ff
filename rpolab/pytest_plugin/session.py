"""What a pytest session has of rpolab: the reader of scenarios, and the runs that were made."""

import shutil
import tempfile
from pathlib import Path

import pytest

from rpolab.pytest_plugin import SESSION
from rpolab.pytest_plugin.children import Reader, Run, run_scenario


class Session:
    """The children of one pytest process.

    Args:
        config: what was chosen.

    Attributes:
        folder: where runs are kept for the session; workers of pytest-xdist share one.
        reader: reads scenarios.
    """

    def __init__(self, config: pytest.Config) -> None:
        worker_input = getattr(config, "workerinput", None)
        self._is_owner = worker_input is None or "rpolab_folder" not in worker_input
        if worker_input is None or self._is_owner:
            self.folder = Path(tempfile.mkdtemp(prefix="rpolab-"))
        else:
            self.folder = Path(worker_input["rpolab_folder"])
        self._root = config.rootpath
        self.reader = Reader(self._root)
        self._seed: int | None = config.getoption("--rpolab-seed")
        self._jobs = config.getoption("--rpolab-jobs") or int(config.getini("rpolab_jobs"))
        self._timeout_s = int(config.getini("rpolab_timeout"))
        results = config.getoption("--rpolab-results")
        self._results = None if results is None else Path(config.invocation_params.dir, results)
        self._runs: dict[Path, Run] = {}

    def told(self, path: Path) -> str:
        """The file as it is named in messages and commands: from the root, where it is below."""
        return str(path.relative_to(self._root)) if self._root in path.parents else str(path)

    def run(self, path: Path, *, is_study: bool) -> Run:
        """The run of a scenario, made by whichever process of the session comes first."""
        if path not in self._runs:
            options = [] if self._seed is None else ["--seed", str(self._seed)]
            if is_study:
                options += ["--jobs", str(self._jobs)]
            self._runs[path] = run_scenario(
                self.told(path),
                options,
                root=self._root,
                folder=self.folder,
                results=self._results,
                timeout_s=self._timeout_s,
            )
        return self._runs[path]

    def close(self) -> None:
        """Ends the reader, and removes the runs when nobody else needs them."""
        self.reader.close()
        if self._is_owner:
            shutil.rmtree(self.folder, ignore_errors=True)


def session_of(config: pytest.Config) -> Session:
    """The session's children, begun when they are first asked for."""
    if SESSION not in config.stash:
        config.stash[SESSION] = Session(config)
    return config.stash[SESSION]
