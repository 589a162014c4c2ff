"""The texts of `eseutil /cm` and `/cc`, on restores of a real backup."""

from functools import cache

from backup_world import RESTORED_NS, BackupWorld, mail_in, restored
from workloads import SHALLOW

from emulators.ese.file_set import MemoryFiles
from emulators.ese.tools.eseutil import report
from emulators.ese.tools.hard_recovery_mode import dump_restore_env, recover_restored


@cache
def server():
    world = BackupWorld(parameters=SHALLOW)
    world.spawn(world.drip(30, 60_000, every_ms=10))
    world.run(0.4)
    backup = world.back_up()
    world.spawn(world.drip(30, 60_000, every_ms=10))
    world.run(2)
    return world, backup


def case():
    world, backup = server()
    return *restored([backup], world.files()), backup


def recovered(target, folder, **switches):
    switches = {"play_forward": True, "keep": False, **switches}
    return recover_restored(target, folder, "D:\\restore", now_ns=RESTORED_NS, **switches)


def test_cm_tells_what_was_restored():
    _, folder, backup = case()
    text, error = dump_restore_env(folder, "D:\\restore")
    assert error is None
    lines = text.splitlines()
    assert lines[0] == "Restore log file: D:\\restore"
    low, high = backup.info.generation_low, backup.info.generation_high
    for line in (
        "Restore Path: D:\\restore",
        "Backup Instance: SG1",
        "Target Instance: SG1",
        "Databases: 1 database(s)",
        "Database Name: MDB1.edb",
        f"DB Signature: {backup.databases[0].signature}",
        f"Log files range: E00{low:08X}.log - E00{high:08X}.log",
        "Last Restore Time: 06/04/2007 12:00:00",
        "Recover Status: recoverNotStarted",
    ):
        assert line in lines


def test_cm_of_a_folder_without_a_restore_says_so():
    text, error = dump_restore_env(MemoryFiles(), "D:\\empty")
    assert error.code == -1811
    whole = report("/cm", text, error, 0.5)
    assert "Initiating RESTORE mode..." in whole
    assert "Operation terminated with error -1811 (JET_errFileNotFound" in whole


def test_cc_recovers_and_tells_what_it_replayed():
    target, folder, backup = case()
    text, error = recovered(target, folder, keep=True)
    assert error is None
    assert "Performing hard recovery..." in text
    assert "." * 51 in text
    assert f"Replayed generations {backup.info.generation_low}-" in text
    assert "from the target's own logs" in text
    assert "Events:" not in text
    assert len(mail_in(target)) == len(server()[0].acknowledged)
    assert "Recover Status: recoverEnded" in dump_restore_env(folder, "")[0]
    again, error = recovered(target, folder)
    assert error is None
    assert "had been recovered before" in again
    assert folder.names() == []


def test_cc_tells_its_error_and_on_request_the_events():
    target, folder, backup = case()
    name = f"E00{backup.info.generation_high:08X}.log"
    folder.delete(name)
    text, error = recovered(target, folder, is_verbose=True)
    assert error.code == -557
    assert "\n  300: Recovery begins." in text
    assert "\n  205: The restore stopped with an error." in text
    whole = report("/cc", text, error, 1)
    assert f"{name} of the backup is missing: restore the backup again" in whole
    assert "terminated with error -557 (JET_errMissingRestoreLogFiles" in whole


def test_cc_stops_at_the_end_of_the_backup_when_it_is_told_to():
    world, _ = server()
    target, folder, backup = case()
    text, error = recovered(target, folder, play_forward=False)
    assert error is None
    assert "own logs" not in text
    assert mail_in(target) == world.mail_up_to(backup.info.generation_high)
