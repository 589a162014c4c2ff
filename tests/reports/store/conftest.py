"""Stores in folders and on a PostgreSQL server, and small documents to keep in them."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from reports import Cell, Digests, Study, worst_verdict
from reports.store import Origin, open_store

SERVERS = Path("/usr/lib/postgresql")
WRITER = Path(__file__).with_name("writer.py")


@pytest.fixture
def small(sample):
    """A result with few samples, whose RPO is what it is asked to be."""

    def make(seed=7, rpo_s=2.0, title="Losing the primary site", **changes):
        return sample.result(
            sample.drill(300, rpo_s=rpo_s),
            sample.drill(600, rpo_s=rpo_s / 2),
            seed=seed,
            digests=Digests(effects=f"{seed:032x}", full=f"{seed + 1:032x}"),
            scenario=sample.result().scenario.model_copy(update={"title": title}),
            **changes,
        )

    return make


@pytest.fixture
def study(small):
    """A study of two bandwidths with three seeds each."""

    def make(rpo_s=2.0):
        cells = tuple(
            Cell(
                name=f"link.bandwidth={bandwidth}",
                settings={"link.bandwidth": bandwidth},
                runs=tuple(small(seed, rpo_s + seed * slow) for seed in (1, 2, 3)),
                thresholds=small().thresholds,
                verdict=small().verdict,
            )
            for slow, bandwidth in ((1, "2 Mbit/s"), (0, "10 Mbit/s"))
        )
        verdict = worst_verdict(cell.verdict for cell in cells)
        first = small()
        return Study(program=first.program, scenario=first.scenario, verdict=verdict, cells=cells)

    return make


@pytest.fixture
def origin():
    """Where a document came from, with changes."""

    def make(kept_at_ns=1_000, scenario="site-loss", **changes):
        values = {"scenario_digest": "5c" * 16, "commit": "ab" * 20, "branch": "main"}
        return Origin(scenario=scenario, kept_at_ns=kept_at_ns, **{**values, **changes})

    return make


@pytest.fixture(params=["folder", "server"])
def place(request, tmp_path):
    """An empty place for a store, of each kind."""
    if request.param == "folder":
        return tmp_path / "store"
    return request.getfixturevalue("database")()


@pytest.fixture
def store(place):
    with open_store(place, program="rpolab 0.1.0") as opened:
        yield opened


@pytest.fixture
def start_writer(tmp_path):
    """Starts a process that keeps results and prints each id once it is kept."""
    started = []

    def start(place, document, count, **options):
        path = tmp_path / "document.json"
        if not path.exists():
            path.write_text(document.to_json(), encoding="utf-8")
        command = [sys.executable, str(WRITER), str(place), str(path), str(count)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment, **options
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def as_nobody():
    """What lets PostgreSQL run, which refuses to run as root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL does not run as root, and setpriv is missing")
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


def run_quietly(command, folder):
    """Runs a program of the server, which must succeed; what it says is not shown."""
    out = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    subprocess.run(command, check=True, cwd=folder, **out)


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server of the tests' own, on a socket in a folder of its own."""
    programs = sorted(SERVERS.glob("*/bin"))
    if not programs or not (programs[-1] / "initdb").exists():
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    with tempfile.TemporaryDirectory(prefix="rpolab-pg-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", "nogroup")
        run = [*as_nobody(), "env", "LC_ALL=C.UTF-8"]
        data = folder / "data"
        options = ["-D", data, "-U", "tester", "-A", "trust", "-N", "-E", "UTF8"]
        run_quietly([*run, programs[-1] / "initdb", *options], folder)
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=40"
        control = [*run, programs[-1] / "pg_ctl", "-D", data, "-w"]
        start = [*control, "-o", settings, "-l", folder / "log"]
        run_quietly([*start, "start"], folder)
        try:
            yield folder
        finally:
            run_quietly([*control, "-m", "immediate", "stop"], folder)


@pytest.fixture
def database(server):
    """Makes an empty schema of the server's database, and returns the URL that leads to it."""
    psycopg = pytest.importorskip("psycopg")

    def make():
        name = f"tests_{os.urandom(8).hex()}"
        with psycopg.connect(host=str(server), user="tester", dbname="postgres") as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"postgresql://tester@/postgres?host={server}&options=-csearch_path%3D{name}"

    return make
