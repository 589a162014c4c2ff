"""Mail databases of every format at each stage of their lives, as programs not ours read them.

Every reader gives the values that this project reads, and this project the mail that was sent.
"""

from functools import lru_cache

import pytest
from checker import check_recovered
from group_world import ONE
from mail_life import STAGES, lives
from third_party import READERS, Sample, compare, is_installed

from emulators.ese.formats.format import FORMATS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:dissect")
lives_of = lru_cache(maxsize=1)(lives)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("file_format", FORMATS, ids=[f.name for f in FORMATS])
@pytest.mark.parametrize("count", [500, pytest.param(50_000, marks=pytest.mark.nightly)])
def test_every_reader_finds_what_was_sent(count, file_format, stage, tmp_path, figure):
    files, ledger = lives_of(file_format, count)[stage]
    check_recovered(files, [ONE])
    assert ledger.compare(files, ONE, file_format) == []
    sample = Sample(files, ONE, file_format)
    for reader in filter(is_installed, READERS):
        folder = tmp_path / reader
        folder.mkdir()
        done = compare(reader, sample, folder)
        assert done.problems == []
        assert done.rows > count
        figure(
            f"{reader}: {done.rows} rows, {done.values} values equal, {done.skipped} skipped, "
            f"{len(done.problems)} mismatches"
        )
