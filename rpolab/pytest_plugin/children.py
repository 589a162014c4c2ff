"""The child processes of the pytest plugin: one that reads scenarios, and one for each run.

A run is made once in a session, whichever process of pytest-xdist comes first: the others wait for
its lock and read what it left. A child that crashes or takes too long leaves its output.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, NamedTuple

# Without -P a folder of the user's that is named like one of ours would be imported in its place.
PYTHON = (sys.executable, "-P", "-m")
READ_TIMEOUT_S = 60.0
OUTPUT_LINES_MAX = 60


class ChildFailed(Exception):  # noqa: N818 - named for what happened
    """A child ended without an answer; the message has its output."""


class Run(NamedTuple):
    """What a run left.

    Attributes:
        code: the exit code; None when it took too long and was ended.
        output: what it printed.
        document: the result, or the study; None when it left none.
    """

    code: int | None
    output: str
    document: dict[str, Any] | None


class Reader:
    """One child that reads all scenarios of a session, as starting costs more than reading.

    Args:
        root: where the child stands.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process: subprocess.Popen[str] | None = None
        self._errors: IO[bytes] | None = None

    def read(self, name: str) -> dict[str, Any]:
        """Returns what the scenario of that name holds for the plugin.

        Raises:
            ChildFailed: the child crashed, or took longer than a minute.
        """
        process = self._started()
        assert process.stdin is not None, "it is a pipe"
        assert process.stdout is not None, "so is this"
        timer = threading.Timer(READ_TIMEOUT_S, process.kill)
        timer.start()
        try:
            process.stdin.write(json.dumps(name) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            timer.cancel()
        if not answer:
            raise ChildFailed(self._told(process))
        read: dict[str, Any] = json.loads(answer)
        return read

    def close(self) -> None:
        """Ends the child."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):  # what was not read is lost with the child
                    assert pipe is not None, "both are pipes"
                    pipe.close()
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the child
            self._process = subprocess.Popen(  # noqa: S603 - the interpreter itself
                [*PYTHON, "rpolab.pytest_plugin.reader"],
                cwd=self._root,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                encoding="utf-8",
            )
        return self._process

    def _told(self, process: subprocess.Popen[str]) -> str:
        assert self._errors is not None, "it is opened with the child"
        code = process.wait()
        self._errors.seek(0)
        output = self._errors.read().decode(errors="replace")
        self.close()
        return f"the child that reads scenarios ended with code {code}\n{last_lines(output)}"


def run_scenario(
    name: str,
    options: Sequence[str],
    *,
    root: Path,
    folder: Path,
    results: Path | None,
    timeout_s: int,
) -> Run:
    """Runs a scenario in a child, or returns what another process of the session has left of it.

    Args:
        name: the file as the command is to name it.
        options: further options of `rpolab run`.
        root: where the child stands.
        folder: where the session's runs are.
        results: where the result is kept for the user, None for nowhere.
        timeout_s: how many seconds it may take.
    """
    key = blake2b("\0".join([name, *options]).encode(), digest_size=8).hexdigest()
    document, done = folder / f"{key}.json", folder / f"{key}.done"
    with _locked(folder / f"{key}.lock"):
        if not done.exists():
            command = [*PYTHON, "rpolab", "run", "--quiet", "--json", str(document), *options]
            code, output = _ended([*command, "--", name], root, folder / key, timeout_s)
            done.write_text(json.dumps([code, output]), encoding="utf-8")
            if results is not None and document.exists():
                _keep(document, results, name)
    code, output = json.loads(done.read_text(encoding="utf-8"))
    found = json.loads(document.read_bytes()) if document.exists() else None
    return Run(code, output, found)


def last_lines(output: str) -> str:
    """The end of what a child printed: its beginning is rarely what one looks for."""
    lines = output.rstrip().splitlines()
    if len(lines) <= OUTPUT_LINES_MAX:
        return "\n".join(lines)
    left_out = len(lines) - OUTPUT_LINES_MAX
    return "\n".join([f"({left_out} lines before)", *lines[-OUTPUT_LINES_MAX:]])


def _ended(
    command: Sequence[str], root: Path, printed: Path, timeout_s: int
) -> tuple[int | None, str]:
    """Waits for a child and all its children; returns the exit code and what was printed."""
    kept_nowhere = {"RPOLAB_STORE": "off", **os.environ}
    with printed.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the interpreter itself
            command,
            cwd=root,
            env=kept_nowhere,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        code: int | None = None
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pass
        finally:
            if code is None:  # Ctrl-C too must leave no child behind
                _end(process)
    return code, printed.read_bytes().decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _keep(document: Path, results: Path, name: str) -> None:
    """Copies a result for the user, named after its scenario."""
    results.mkdir(parents=True, exist_ok=True)
    stem = Path(name).with_suffix("").with_suffix("").as_posix().strip("/").replace("/", "-")
    (results / f"{stem}.json").write_bytes(document.read_bytes())


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Lets one process of the session in at a time; a process that dies leaves no lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        try:
            import fcntl  # noqa: PLC0415 - not on Windows, where each process runs for itself
        except ImportError:
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
