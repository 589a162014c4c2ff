"""A page that is bad is refused before anything is written, whichever phase comes to it."""

from contextlib import suppress

import pytest
from cut_files import image_with_undo
from mail_world import DATABASE, LOG_BYTES, World, copy_of, recover, recover_only
from recovery_case import CURRENT, PAGE_BYTES, Case, archive

from emulators.ese.errors import EseError
from emulators.ese.formats.page import HEADER_PAGES, page_offset
from emulators.ese.running.parameters import Parameters


def image_without_its_last_logs():
    """Files of which the logs end, for a lossy recovery, within a transaction."""
    parameters = Parameters(checkpoint_depth_bytes=6 * LOG_BYTES, waypoint_depth=4)
    world = World(parameters=parameters)
    world.spawn(world.drip(12, 450_000, every_ms=50))
    world.run(5)
    case = Case(world.files(), world.ledger())
    for hole in range(case.committed, case.last, -1):
        case.files.delete(CURRENT if hole == case.committed else archive(hole))
        if recover(copy_of(case.files), lossy=True).undone:
            return case.files
    raise AssertionError("no end of the logs lies within a transaction")


IMAGES = {
    "undo in one log": lambda: image_with_undo(near_the_end_of_the_log=False)[0],
    "undo with a roll": lambda: image_with_undo(near_the_end_of_the_log=True)[0],
    "logs let go": image_without_its_last_logs,
}


def spoiled(files, pgno):
    damaged = copy_of(files)
    place = page_offset(pgno, PAGE_BYTES) + 200
    byte = damaged.read(DATABASE, place, 1)[0]
    damaged.write(DATABASE, place, bytes([byte ^ 0x10]))
    return damaged


@pytest.mark.parametrize("step", [13, pytest.param(1, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("image", IMAGES)
def test_a_bad_page_is_refused_before_anything_is_written(image, step, figure):
    """Page 1 is one that only undo comes to."""
    files = IMAGES[image]()
    pages = files.size(DATABASE) // PAGE_BYTES - HEADER_PAGES
    refused = set()
    for pgno in range(1, pages + 1, step):
        damaged = spoiled(files, pgno)
        before = copy_of(damaged)._files
        with suppress(EseError):
            recover_only(damaged, lossy=image == "logs let go")
            continue
        refused.add(pgno)
        assert damaged._files == before, f"page {pgno}: a refusal changed a file"
        with pytest.raises(EseError, match=f"-1018.*page {pgno}:"):
            recover_only(damaged, lossy=image == "logs let go")
    figure(f"{pages} pages, each {step}th spoiled in turn, {len(refused)} refused")
    assert 1 in refused
    assert len(refused) > 3
