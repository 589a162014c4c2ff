import pytest

from emulators.vss.codes import VssCode, WriterState
from emulators.vss.components import ComponentKind, DatabaseFiles, FileSpec, StorageGroupFiles
from emulators.vss.exchange_writer import EXCHANGE_WRITER_ID, ExchangeWriter
from emulators.vss.requestor import Outcome
from emulators.vss.session import PhaseFault, guid_from
from emulators.vss.transitions import WriterEvent
from emulators.vss.vssadmin import list_writers

S = 10**9


class SecondGroup:
    """Another storage group, on the same volumes or on others."""

    def __init__(self, kernel, name, volume, *, mounted=True):
        self.kernel = kernel
        self.mounted = mounted
        self.volume = volume
        self.name = name
        self.log = []
        self.freeze_error = None

    @property
    def files(self):
        database = DatabaseFiles(
            "MDB2", "{db2}", FileSpec(self.volume, "\\mdb", "MDB2.edb"), self.mounted
        )
        return StorageGroupFiles(
            self.name, "E01", self.volume, "\\logs", self.volume, "\\logs", (database,)
        )

    def freeze(self):
        yield self.kernel.sleep(S)
        if self.freeze_error is not None:
            raise self.freeze_error
        self.log.append("frozen")

    def thaw(self):
        yield self.kernel.sleep(S)
        self.log.append("thawed")


def with_second_group(world, volume, **kwargs):
    second = SecondGroup(world.kernel, "SG2", volume, **kwargs)
    world.service.writers.clear()
    world.writer = ExchangeWriter(
        world.kernel, world.streams.stream("writer2"), "MBX1", [world.group, second]
    )
    world.service.register(world.writer)
    return second


def test_the_identity_is_the_one_of_the_store_writer(world):
    assert world.writer.writer_id == EXCHANGE_WRITER_ID == "{76fe1ac4-15f7-4bcd-987e-8e1acb462fb7}"
    assert world.writer.name == "Microsoft Exchange Writer"
    assert world.writer.freeze_window_ns == 20 * S


def test_each_storage_group_has_one_log_component_and_one_for_each_database(world):
    with_second_group(world, "other")
    components = world.writer.components()
    kinds = [component.kind for component in components]
    assert kinds == [ComponentKind.LOGS, ComponentKind.DATABASE] * 2
    logs, database = components[:2]
    assert logs.name == "Logs"
    assert [spec.pattern for spec in logs.files] == ["E00*.log", "E00.chk"]
    assert database.name == "{00000000-0000-4000-8000-000000000001}"
    assert [spec.pattern for spec in database.files] == ["SG1.edb"]
    assert logs.logical_path.endswith("\\MBX1\\SG1")
    assert components[2].files[0].pattern == "E01*.log"


def test_a_dismounted_database_is_not_listed(world):
    world.group.mounted = False
    assert world.writer.components() == ()


def test_a_set_that_lacks_a_volume_of_the_group_is_inconsistent(world):
    world.volumes = world.volumes[:1]
    result = world.take()
    assert result.code is VssCode.VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT
    assert "database" in result.problem
    assert world.writer.state is WriterState.FAILED_AT_PREPARE_SNAPSHOT
    assert world.group.frozen_count == 0


def test_a_group_on_other_volumes_is_left_alone(world):
    second = with_second_group(world, "other")
    assert world.take().outcome is Outcome.TAKEN
    assert second.log == []
    assert world.group.frozen_count == 1


def test_a_dismounted_group_is_left_alone(world):
    second = with_second_group(world, "logs", mounted=False)
    assert world.take().outcome is Outcome.TAKEN
    assert second.log == []


def test_groups_of_one_set_are_frozen_side_by_side_and_thawed_together(world):
    second = with_second_group(world, "logs")
    world.group.freeze_ns = 19 * S
    assert world.take().outcome is Outcome.TAKEN
    assert second.log == ["frozen", "thawed"]
    assert world.group.frozen_count == world.group.thawed_count == 1


@pytest.mark.parametrize("first_fails", [True, False])
def test_one_group_that_cannot_freeze_thaws_the_others(world, first_fails):
    second = with_second_group(world, "logs")
    failing = world.group if first_fails else second
    failing.freeze_error = OSError("dismounting")
    result = world.take()
    assert result.outcome is Outcome.FAILED
    assert "dismounting" in result.problem
    assert world.group.frozen_count == world.group.thawed_count == (0 if first_fails else 1)
    assert second.log == (["frozen", "thawed"] if first_fails else [])
    world.assert_nothing_is_held()


def test_vssadmin_shows_a_stable_writer_as_the_sheet_has_it(world):
    text = list_writers(world.service.gather_writer_status())
    assert text == (
        "Writer name: 'Microsoft Exchange Writer'\n"
        "   Writer Id: {76fe1ac4-15f7-4bcd-987e-8e1acb462fb7}\n"
        f"   Writer Instance Id: {world.writer.instance_id}\n"
        "   State: [1] Stable\n"
        "   Last error: No error\n"
    )


def test_vssadmin_shows_failures_and_progress_in_its_own_words(world):
    shown = {}

    def verify(_set_id):
        shown["waiting"] = list_writers(world.service.gather_writer_status())
        yield world.kernel.sleep(1)
        return True

    world.take(verify=verify)
    assert "State: [5] Waiting for completion\n" in shown["waiting"]
    world.group.freeze_ns = 21 * S
    world.take()
    text = list_writers(world.service.gather_writer_status())
    assert "State: [9] Failed\n   Last error: Timed out\n" in text
    world.group.freeze_ns = 1
    for code, words in (
        (VssCode.VSS_E_WRITERERROR_RETRYABLE, "Retryable error"),
        (VssCode.VSS_E_WRITERERROR_NONRETRYABLE, "Non-retryable error"),
        (VssCode.VSS_E_WRITER_NOT_RESPONDING, "Not responding"),
        (VssCode.VSS_E_BAD_STATE, "Unexpected error 0x80042301"),
    ):
        world.writer.inject(WriterEvent.PREPARE_BACKUP, PhaseFault(code=code))
        world.take()
        assert f"State: [7] Failed\n   Last error: {words}\n" in list_writers(
            world.service.gather_writer_status()
        )


@pytest.mark.parametrize("bits", [0, (1 << 128) - 1, 0x0123456789ABCDEF0123456789ABCDEF])
def test_guids_are_of_version_four(bits):
    guid = guid_from(bits)
    assert len(guid) == 38
    assert guid[15] == "4"
    assert guid[20] in "89ab"
    assert guid == guid.lower()
