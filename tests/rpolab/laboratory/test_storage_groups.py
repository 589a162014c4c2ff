"""Exchange 2003, several storage groups and databases: one point for the whole server."""

from pathlib import Path

import pytest

import scenarios
from emulators.ese.errors import ese_error
from emulators.exchange.editions import GIB, LIMIT_RTM_GIB
from emulators.exchange.profiles import PROFILES
from rpolab.laboratory.experiment import Experiment
from rpolab.laboratory.recoveries import Recoverer
from rpolab.laboratory.storage_groups import EDITIONS, edition_of
from scenarios import EDITION_LIMITS, PROFILES_OF_VERSION

SITE_LOSS = {"at": "10:04", "kind": "site_loss", "site": "primary"}


def server(version=2003, **changes):
    groups = [
        {"name": "SG1", "databases": ["MDB1", "MDB2"], "mailboxes": 12, "profile": "heavy"},
        {"name": "SG2", "databases": ["MDB3"], "mailboxes": 8, "profile": "light"},
    ]
    return {"version": version, "storage_groups": groups} | changes


@pytest.fixture
def run_groups(run, protect):
    protect["cdp"]["bookmarks"]["every"] = "2 min"

    def run_with(version=2003, **changes):
        wanted = {"duration": "5 min", "exchange": server(version), "protect": protect}
        return run(**(wanted | changes))

    return run_with


def recoveries(experiment):
    return experiment.result().protections[0].recoveries


@pytest.mark.parametrize("version", [2003, 2007])
def test_every_message_in_every_database_of_every_group_comes_back(run_groups, version):
    experiment = run_groups(version, drills={"at_end": True, "classes": ["any", "app"]})
    latest, bookmark = recoveries(experiment)
    assert (latest.outcome, bookmark.outcome) == ("recovered", "recovered")
    assert (latest.phantom, latest.damaged) == (0, 0)
    assert latest.rpo_s < 5
    ledgers = experiment.ledgers.by_database
    assert list(ledgers) == ["MDB1.edb", "MDB2.edb", "MDB3.edb"]
    assert all(ledger.acknowledged_count for ledger in ledgers.values())
    assert experiment.ledgers.acknowledged_count == sum(
        ledger.acknowledged_count for ledger in ledgers.values()
    )
    homes = [home.name for home in map(experiment.server.home_of, experiment.server.mailboxes)]
    assert [homes.count(name) for name in ledgers] == [6, 6, 8]


def test_the_same_seed_gives_the_same_run(run_groups):
    first, second = (run_groups(duration="2 min").result().digests for _ in range(2))
    assert first == second


def test_one_snapshot_set_stands_for_all_groups(run_groups):
    experiment = run_groups()
    cdp = experiment.protections["cdp"]
    made = cdp.copy.image(cdp.copy.newest("app"))
    assert list(made.groups) == ["SG1", "SG2"]
    assert {"MDB1.edb", "MDB2.edb", "E00.chk"} <= set(made.groups["SG1"].names())
    assert {"MDB3.edb", "E01.chk"} <= set(made.groups["SG2"].names())
    for prefix, files in zip(("E00", "E01"), made.groups.values(), strict=True):
        assert not files.exists(f"{prefix}.log"), "a frozen group has closed its log"


def test_the_newest_log_of_one_group_lost_refuses_the_point_and_tells_of_each_group(run_groups):
    lost_log = {"at": "10:03:59", "kind": "lost_log", "protection": "cdp", "which": "current"}
    experiment = run_groups(faults=[lost_log | {"group": "SG2"}, SITE_LOSS])
    [fault, _] = experiment.result().faults
    assert fault.evidence.startswith("E01")
    refused, recovered = recoveries(experiment)
    assert refused.outcome == "refused"
    assert "SG2 refused" in refused.refusal
    assert "SG1 would open" in refused.refusal
    first, second = refused.groups
    assert (first.name, first.outcome, first.lost.logs) == ("SG1", "recovered", 0)
    assert (second.name, second.outcome, second.lost) == ("SG2", "refused", None)
    assert second.refusal in refused.refusal
    assert recovered.outcome == "recovered"
    assert recovered.point == refused.nearest[0]
    assert [group.outcome for group in recovered.groups] == ["recovered", "recovered"]
    assert sum(group.lost.logs for group in recovered.groups) == recovered.lost.logs


def test_a_full_log_disk_of_one_group_leaves_the_other_in_service(run_groups):
    full = {"at": "10:02", "kind": "disk_full", "site": "primary", "volume": "logs", "group": "SG1"}
    experiment = run_groups(faults=[full], duration="8 min")
    [first, second] = experiment.laboratory.groups
    assert first.error.code == -529
    assert second.error is None
    assert experiment.server.error is None
    [notice] = [item for item in experiment.result().notices if "-529" in item.text]
    assert notice.source == "SG1"
    [drill] = recoveries(experiment)
    assert (drill.outcome, drill.lost.messages) == ("recovered", 0)


def test_a_database_that_stops_alone_is_told_of_once(scenario):
    experiment = Experiment(scenario(duration="2 min", exchange=server()))
    experiment.run()
    [first, _] = experiment.laboratory.groups
    first.mounted("MDB2.edb").file.error = ese_error(-1808, "MDB2.edb", "make room")
    experiment._note_stop()
    experiment._note_stop()
    assert first.error is None
    [notice] = experiment.result().notices
    assert notice.source == "SG1: MDB2.edb"
    assert "-1808" in notice.text


def test_damage_in_one_group_is_worse_than_the_refusal_of_another(scenario, monkeypatch):
    experiment = Experiment(scenario(duration="2 min", exchange=server(), drills=None))
    experiment.run()
    [recoverer] = experiment.recoverers.values()
    open_group = Recoverer._open_group

    def spoil(self, group, files, *of):
        if group.name == "SG2":
            files.delete("MDB3.edb")
        opened = open_group(self, group, files, *of)
        for history in self.ledgers.by_database["MDB1.edb"]._histories.values():
            history.clear()
        return open_group(self, group, files, *of) if group.name == "SG1" else opened

    monkeypatch.setattr(Recoverer, "_open_group", spoil)
    recoverer.recover(recoverer.moments("drill"), "any")
    [recovery] = recoverer.best
    assert recovery.outcome == "failed"
    assert recovery.phantom > 0
    assert "SG2 refused" in recovery.refusal


def test_kept_files_of_several_groups_lie_in_a_folder_each(scenario, tmp_path: Path):
    Experiment(scenario(duration="1 min", exchange=server()), keep=tmp_path).run()
    folder = tmp_path / "cdp" / "drill-01-any"
    assert sorted(path.name for path in folder.iterdir()) == ["SG1", "SG2"]
    assert (folder / "SG2" / "MDB3.edb").stat().st_size > 0


def test_the_language_and_the_emulator_agree_on_the_editions():
    assert list(EDITIONS) == list(EDITION_LIMITS)
    for key, edition in EDITIONS.items():
        limits = EDITION_LIMITS[key]
        assert (
            edition.storage_groups_max,
            edition.databases_per_group_max,
            edition.databases_max,
        ) == limits[:3]


@pytest.mark.parametrize(
    ("edition", "count", "allowed"), [("enterprise", 5, 4), ("standard", 2, 1)]
)
def test_a_server_made_in_python_is_refused_as_its_edition_refuses_it(
    scenario, edition, count, allowed
):
    made = scenario(exchange=server())
    group = made.exchange.storage_groups[1]
    groups = tuple(group.model_copy(update={"name": f"SG{n}"}) for n in range(count))
    exchange = made.exchange.model_copy(update={"edition": edition, "storage_groups": groups})
    with pytest.raises(scenarios.ScenarioError) as caught:
        Experiment(made.model_copy(update={"exchange": exchange}))
    [problem] = caught.value.problems
    assert problem.path == "exchange.storage_groups"
    assert f"{count} storage groups" in problem.message
    assert f"allows {allowed}" in problem.message
    assert problem.hint


def test_the_language_and_the_emulator_agree_on_the_profiles():
    for version, names in PROFILES_OF_VERSION.items():
        assert names == tuple(name for of, name in PROFILES if of == version)


def test_the_size_limit_of_an_edition_reaches_the_databases():
    world = {"version": 2003, "edition": "standard", "storage_groups": [
        {"name": "SG1", "databases": ["MDB1"], "mailboxes": 1}]}  # fmt: skip
    found = scenarios.Exchange.model_validate(
        world | {"storage_groups": ({**world["storage_groups"][0], "databases": ("MDB1",)},)}
    )
    assert edition_of(found).database_bytes_max == LIMIT_RTM_GIB * GIB
