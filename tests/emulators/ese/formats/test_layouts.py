"""Every structure has the size and the offsets of the annexes: a marked field is found there."""

import pytest

from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.checksum import block_checksum
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.format import EXCHANGE_2007, FORMATS
from emulators.ese.formats.log_checksum import ChecksumRecord
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.page import FLAG_LEAF, Page
from emulators.ese.formats.space_header import SpaceHeader
from emulators.ese.formats.values import (
    AttachInfo,
    BackupInfo,
    DbmsParam,
    Lgpos,
    LogTime,
    Signature,
)

TIME = LogTime.from_ns(1_180_000_000_789_000_000)
OTHER_TIME = LogTime.from_ns(1_190_000_000_001_000_000)
SIGNATURE = Signature(0xA1B2C3D4, TIME, "SERVER1")
LGPOS = Lgpos(0x2A, 0x1C, 0x6F)
BACKUP = BackupInfo(LGPOS, TIME, 3, 9)


def u32(block, offset):
    return int.from_bytes(block[offset : offset + 4], "little")


def test_the_primitive_structures_have_their_sizes():
    assert len(TIME.pack()) == 8
    assert len(SIGNATURE.pack()) == 28
    assert len(LGPOS.pack()) == 8
    assert len(BACKUP.pack()) == 24
    assert len(DbmsParam().pack()) == 567
    assert len(SpaceHeader(1, 2, 3, 4).pack()) == 16
    assert len(ChecksumRecord(1, 2, 3, 4, 5, 6).pack()) == 22


def test_lgpos_is_byte_sector_generation():
    assert LGPOS.pack() == bytes.fromhex("6f00 1c00 2a000000")


def test_a_signature_is_number_time_computer():
    packed = SIGNATURE.pack()
    assert u32(packed, 0) == 0xA1B2C3D4
    assert packed[4:12] == TIME.pack()
    assert packed[12:] == b"SERVER1".ljust(16, b"\0")


def test_a_backup_is_mark_time_and_range():
    packed = BACKUP.pack()
    assert packed[:8] == LGPOS.pack()
    assert packed[8:16] == TIME.pack()
    assert (u32(packed, 16), u32(packed, 20)) == (3, 9)


def test_a_space_header_is_pages_parent_flags_and_owned_root():
    assert SpaceHeader(1, 2, 3, 4).pack() == bytes.fromhex("01000000 02000000 03000000 04000000")


def test_a_checksum_record_lies_as_annex_g_says():
    packed = ChecksumRecord(1, 2, 3, 4, 5, 0x9A).pack()
    assert packed[0] == 42
    assert [u32(packed, at) for at in (1, 5, 9, 13, 17)] == [1, 2, 3, 4, 5]
    assert packed[21] == 0x9A


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_page_lies_as_annex_d_says(file_format):
    size = file_format.page_bytes
    page = Page(9, 42, FLAG_LEAF, dbtime=0x1122334455, page_bytes=size, has_ecc=file_format.has_ecc)
    page.prev, page.next, page.uncommitted_free_bytes = 7, 11, 5
    page.insert(0, b"key", b"data")
    image = page.to_bytes()
    assert image[8:16] == (0x1122334455).to_bytes(8, "little")
    assert [u32(image, at) for at in (16, 20, 24)] == [7, 11, 42]
    free = size - 40 - (2 + 3 + 4) - 2 * 4
    halves = [int.from_bytes(image[at : at + 2], "little") for at in (28, 30, 32, 34)]
    assert halves == [free, 5, 9, 2]
    assert u32(image, 36) == 0x2 | 0x800 | (0x2000 if file_format.has_ecc else 0)
    assert image[40:49] == b"\3\0keydata"
    assert image[-4:] == bytes(4), "tag 0 is empty"
    assert image[-8:-4] == bytes.fromhex("0900 0000")


def test_a_time_counts_months_from_one_and_splits_its_milliseconds():
    packed = LogTime(20, 46, 9, 24, 5, 107, 789, is_utc=True).pack()
    assert packed[:6] == bytes((20, 46, 9, 24, 5, 107))
    assert packed[6] == (789 & 0x7F) << 1 | 1
    assert packed[7] == (789 >> 7) << 1


@pytest.mark.parametrize(
    ("name", "offset", "size"),
    [
        ("system_path", 0, 261),
        ("log_path", 261, 261),
        ("flags", 522, 1),
        ("sessions", 523, 4),
        ("open_tables", 527, 4),
        ("version_pages", 531, 4),
        ("cursors", 535, 4),
        ("log_buffers", 539, 4),
        ("log_sectors", 543, 4),
        ("cache_pages_max", 547, 4),
    ],
)
def test_dbms_param_fields_lie_where_annex_a_says(name, offset, size):
    value = "C:\\X" if name.endswith("path") else 0x41
    packed = DbmsParam(**{name: value}).pack()
    changed = [at for at, byte in enumerate(packed) if byte]
    assert changed
    assert offset == changed[0]
    assert changed[-1] < offset + size


def test_attach_info_lies_as_annex_a_says():
    info = AttachInfo(1, "D:\\MDB1.edb", 5, 6, 7, LGPOS, Lgpos(1, 2, 3), SIGNATURE)
    packed = info.pack()
    names = "D:\\MDB1.edb\0".encode("utf-16-le")
    assert len(packed) == 64 + len(names)
    assert (packed[0], packed[1]) == (1, 0x20)
    assert packed[2:4] == len(names).to_bytes(2, "little")
    assert packed[4:12] == (5).to_bytes(8, "little")
    assert (u32(packed, 12), u32(packed, 16)) == (6, 7)
    assert packed[20:28] == LGPOS.pack()
    assert packed[28:36] == Lgpos(1, 2, 3).pack()
    assert packed[36:64] == SIGNATURE.pack()
    assert packed[64:] == names


DATABASE_FIELDS = [
    ("dbtime", 16, 0x1122334455, (0x1122334455).to_bytes(8, "little")),
    ("signature", 24, SIGNATURE, SIGNATURE.pack()),
    ("state", 52, DatabaseState.CLEAN_SHUTDOWN, (3).to_bytes(4, "little")),
    ("consistent", 56, LGPOS, LGPOS.pack()),
    ("consistent_time", 64, TIME, TIME.pack()),
    ("attach_time", 72, TIME, TIME.pack()),
    ("attach", 80, LGPOS, LGPOS.pack()),
    ("detach_time", 88, TIME, TIME.pack()),
    ("detach", 96, LGPOS, LGPOS.pack()),
    ("dbid", 104, 9, (9).to_bytes(4, "little")),
    ("log_signature", 108, SIGNATURE, SIGNATURE.pack()),
    ("full_backup_previous", 136, BACKUP, BACKUP.pack()),
    ("incremental_backup_previous", 160, BACKUP, BACKUP.pack()),
    ("full_backup_current", 184, BACKUP, BACKUP.pack()),
    ("flags", 208, 1, b"\1"),
    ("objid_last", 212, 77, b"\x4d"),
    ("os_version", 216, (5, 2, 3790, 1), bytes.fromhex("05000000 02000000 ce0e0000 01000000")),
    ("repair_count", 240, 3, b"\3"),
    ("repair_time", 244, TIME, TIME.pack()),
    ("streaming_signature", 252, SIGNATURE, SIGNATURE.pack()),
    ("scrub_dbtime", 280, 0x99, b"\x99"),
    ("scrub_time", 288, TIME, TIME.pack()),
    ("generation_min_required", 296, 44, (44).to_bytes(4, "little")),
    ("generation_max_required", 300, 46, (46).to_bytes(4, "little")),
    ("snapshot_current", 316, BACKUP, BACKUP.pack()),
    ("generation_max_created", 348, TIME, TIME.pack()),
    ("full_backup_kind", 356, 1, b"\1"),
    ("incremental_backup_kind", 360, 1, b"\1"),
    ("repair_count_old", 364, 2, b"\2"),
    ("generation_max_committed", 416, 47, (47).to_bytes(4, "little")),
    ("copy_backup_previous", 420, BACKUP, BACKUP.pack()),
    ("differential_backup_previous", 444, BACKUP, BACKUP.pack()),
    ("copy_backup_kind", 468, 1, b"\1"),
    ("differential_backup_kind", 472, 1, b"\1"),
]


@pytest.mark.parametrize(("name", "offset", "value", "packed"), DATABASE_FIELDS)
def test_database_header_fields_lie_where_annex_b_says(name, offset, value, packed):
    plain = DatabaseHeader(EXCHANGE_2007, Signature(0, TIME, ""), Signature(0, TIME, ""))
    marked = DatabaseHeader(EXCHANGE_2007, Signature(0, TIME, ""), Signature(0, TIME, ""))
    setattr(marked, name, value)
    before, after = plain.pack(), marked.pack()
    changed = {at for at in range(4, len(before)) if before[at] != after[at]}
    assert changed <= set(range(offset, offset + len(packed)))
    assert after[offset : offset + len(packed)] == packed
    assert getattr(DatabaseHeader.unpack(after), name) == value


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_constants_of_a_database_header_lie_where_annex_b_says(file_format):
    block = DatabaseHeader(file_format, SIGNATURE, SIGNATURE).pack()
    assert len(block) == file_format.page_bytes
    assert u32(block, 0) == block_checksum(block)
    assert (u32(block, 4), u32(block, 8), u32(block, 12)) == (0x89ABCDEF, 0x620, 0)
    assert u32(block, 232) == file_format.revision
    assert u32(block, 236) == file_format.page_bytes
    assert (u32(block, 340), u32(block, 344)) == (0x620, file_format.revision)
    assert u32(block, 667) == 1
    assert not any(block[671:]), "libesedb sums only the first 668 bytes"


def test_a_log_header_lies_as_annex_g_says():
    parameters = DbmsParam(log_path="L:\\")
    attached = AttachInfo(1, "MDB1.edb", 5, 6, 7, LGPOS, LGPOS, SIGNATURE)
    header = LogHeader(
        0x2F,
        TIME,
        OTHER_TIME,
        SIGNATURE,
        parameters=parameters,
        flags=2,
        checkpoint=LGPOS,
        attachments=(attached,),
    )
    block = header.pack()
    assert len(block) == 4096
    assert u32(block, 0) == block_checksum(block)
    assert u32(block, 4) == 0x2F
    assert block[8:16] == bytes.fromhex("0002 0800 0008 0020")
    assert block[16:24] == TIME.pack()
    assert block[24:32] == OTHER_TIME.pack()
    assert (u32(block, 32), u32(block, 36), u32(block, 40)) == (7, 3704, 10)
    assert block[44:72] == SIGNATURE.pack()
    assert block[72:639] == parameters.pack()
    assert block[639] == 2
    assert block[640:648] == LGPOS.pack()
    assert not any(block[648:667])
    assert u32(block, 667) == 3
    assert block[671:].startswith(attached.pack())
    assert not any(block[671 + len(attached.pack()) :])


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_log_header_states_the_sizes_and_the_version_of_its_format(file_format):
    block = LogHeader(1, TIME, OTHER_TIME, SIGNATURE, file_format).pack()
    assert int.from_bytes(block[12:14], "little") * 512 == file_format.log_bytes
    stated = 0 if file_format.page_bytes == 4096 else file_format.page_bytes
    assert int.from_bytes(block[14:16], "little") == stated
    assert tuple(u32(block, at) for at in (32, 36, 40)) == file_format.log_version


def test_attach_info_before_unicode_names_is_in_ansi():
    info = AttachInfo(1, "D:\\MDB1.edb", 5, 6, 7, LGPOS, LGPOS, SIGNATURE, has_unicode_names=False)
    packed = info.pack()
    assert packed[1] == 0
    assert packed[64:] == b"D:\\MDB1.edb\0"
    assert AttachInfo.unpack(packed) == (info, len(packed))


def test_a_checkpoint_lies_as_annex_h_says():
    checkpoint = Checkpoint(
        checkpoint=LGPOS,
        signature=SIGNATURE,
        parameters=DbmsParam(sessions=5),
        full_backup_checkpoint=Lgpos(1, 1, 1),
        full_backup=Lgpos(2, 2, 2),
        full_backup_time=TIME,
        incremental_backup=Lgpos(3, 3, 3),
        incremental_backup_time=OTHER_TIME,
        database_consistency=Lgpos(4, 4, 4),
    )
    image = checkpoint.pack()
    block = image[:4096]
    assert len(image) == 8192
    assert image[4096:] == block
    assert u32(block, 0) == block_checksum(block)
    assert block[4:12] == Lgpos(1, 1, 1).pack()
    assert block[12:20] == LGPOS.pack()
    assert block[20:48] == SIGNATURE.pack()
    assert block[48:615] == DbmsParam(sessions=5).pack()
    assert block[615:623] == Lgpos(2, 2, 2).pack()
    assert block[623:631] == TIME.pack()
    assert block[631:639] == Lgpos(3, 3, 3).pack()
    assert block[639:647] == OTHER_TIME.pack()
    assert block[647] == 0
    assert block[648:656] == Lgpos(4, 4, 4).pack()
    assert u32(block, 667) == 4
    assert not any(block[671:])
