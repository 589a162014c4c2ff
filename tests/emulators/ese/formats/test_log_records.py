"""Log records: their sizes are the annex's, and what is encoded is decoded again."""

import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.ese.errors import EseError
from emulators.ese.formats import log_records
from emulators.ese.formats.log_types import (
    FIXED_SIZES,
    VARIABLE_SIZES,
    RecordType,
    measure,
    size_of,
)
from emulators.ese.formats.values import (
    LGPOS_ZERO,
    SIGNATURE_ZERO,
    DbmsParam,
    Lgpos,
    LogTime,
    Signature,
)

# Types and sizes as annex G lists them, and the offsets of the fields that this project uses.
ANNEX_TYPES = {
    0: 1, 1: 568, 2: 18, 4: 1, 5: 4, 6: 4, 7: 4, 8: 8, 9: 8, 10: 7, 11: 11, 12: 11, 13: 11,
    14: 43, 15: 75, 16: 7, 17: 1, 18: 18, 23: 1, 24: 56, 25: 48, 26: 60, 27: 102, 28: 88, 29: 50,
    30: 48, 31: 52, 32: 44, 33: 50, 34: 50, 35: 44, 36: 56, 37: 54, 38: 46, 39: 51, 42: 22, 48: 46,
    49: 576, 50: 26, 51: 9, 52: 26, 57: 3, 58: 68, 60: 35, 61: 5, 62: 110, 63: 96, 64: 54, 65: 96,
}  # fmt: skip
NODE_OFFSETS = {
    "procid": (1, 2), "dbid": (3, 1), "pgno": (4, 4), "dbtime": (8, 8), "dbtime_before": (16, 8),
    "trx_begin0": (24, 4), "level": (28, 1), "line": (29, 2), "flags": (31, 1), "rceid": (32, 4),
    "pgno_fdp": (36, 4), "objid_fdp": (40, 4),
}  # fmt: skip
PAGE_OFFSETS = {name: NODE_OFFSETS[name] for name in list(NODE_OFFSETS)[:9]}
OFFSETS = {
    log_records.Begin0: {"procid": (1, 2), "levels": (3, 1), "trx": (4, 4)},
    log_records.Commit0: {"procid": (1, 2), "level": (3, 1), "trx": (4, 4)},
    log_records.Rollback: {"procid": (1, 2), "levels": (3, 1)},
    log_records.MacroBegin: {"procid": (1, 2), "dbtime": (3, 8)},
    log_records.Insert: NODE_OFFSETS,
    log_records.Replace: NODE_OFFSETS | {"old_bytes": (46, 2)},
    log_records.FlagInsert: NODE_OFFSETS,
    log_records.FlagInsertAndReplace: NODE_OFFSETS | {"rceid_replace": (48, 4)},
    log_records.FlagDelete: NODE_OFFSETS,
    log_records.Delete: NODE_OFFSETS,
    log_records.Undo: NODE_OFFSETS | {"operation": (48, 2), "operation_level": (50, 1)},
    log_records.UndoInfo: NODE_OFFSETS | {"operation": (48, 2), "size_max": (50, 2)},
    log_records.SetExternalHeader: NODE_OFFSETS,
    log_records.Split: PAGE_OFFSETS
    | {
        "pgno_new": (32, 4), "pgno_right": (36, 4), "dbtime_right_before": (40, 8),
        "pgno_parent": (48, 4), "dbtime_parent_before": (52, 8), "pgno_fdp": (60, 4),
        "objid_fdp": (64, 4), "split_type": (68, 1), "split_operation": (69, 1),
        "line_operation": (70, 2), "line_split": (72, 2), "lines": (74, 2),
        "new_page_flags": (76, 4), "split_page_flags": (80, 4),
        "uncommitted_free_source": (84, 2), "uncommitted_free_target": (86, 2),
        "line_prefix_split": (88, 4), "line_prefix_new": (92, 4),
    },
    log_records.Merge: PAGE_OFFSETS
    | {
        "pgno_right": (32, 4), "dbtime_right_before": (36, 8), "pgno_left": (44, 4),
        "dbtime_left_before": (48, 8), "pgno_parent": (56, 4), "dbtime_parent_before": (60, 8),
        "pgno_fdp": (68, 4), "objid_fdp": (72, 4), "size_total": (76, 2),
        "size_max_total": (78, 2), "uncommitted_free_target": (80, 2), "line_merge": (82, 2),
        "merge_flags": (84, 1), "merge_type": (85, 1),
    },
    log_records.CreateMultipleExtentFdp: PAGE_OFFSETS
    | {
        "objid_fdp": (32, 4), "pgno_owned": (36, 4), "pgno_available": (40, 4),
        "pgno_parent": (44, 4), "primary_pages": (48, 4), "page_flags": (52, 4),
    },
    log_records.ExtendDb: {"dbid": (5, 1), "pgno_last": (6, 4)},
    log_records.CreateDb: {
        "procid": (1, 2), "dbid": (3, 1), "options": (4, 4), "pages_max": (8, 4),
    },
    log_records.AttachDb: {"procid": (1, 2), "dbid": (3, 1), "pages_max": (4, 4)},
    log_records.DetachDb: {"procid": (1, 2), "dbid": (3, 1)},
    log_records.Term2: {"hard": (17, 1)},
    log_records.Backup2: {"phase": (1, 1), "kind": (2, 4), "scope": (6, 1), "dbid": (7, 1)},
}  # fmt: skip

times = st.integers(0, 4_000_000_000_000).map(lambda ms: LogTime.from_ns(ms * 1_000_000))
BY_TYPE = {
    bool: st.just(value=True),
    bytes: st.binary(max_size=60),
    str: st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    LogTime: times,
    Lgpos: st.builds(Lgpos, st.integers(0, 9999), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF)),
    Signature: st.builds(Signature, st.integers(0, 0xFFFFFFFF), times, st.just("")),
    DbmsParam: st.builds(DbmsParam, sessions=st.integers(0, 0xFFFFFFFF)),
}
SIGNED = {"size_delta", "size_max", "line_prefix_split", "line_prefix_new"}


def fields_of(kind):
    return typing.get_type_hints(kind)


def integer_of(name, kind):
    width = OFFSETS.get(kind, {}).get(name, (0, 1))[1]
    if name in SIGNED:
        return st.integers(-(1 << 8 * width - 1), (1 << 8 * width - 1) - 1)
    bits = 63 if width == 8 else 8 * width
    return st.integers(0, (1 << bits) - 1)


def record_of(kind):
    values = {}
    for name, annotation in fields_of(kind).items():
        known = annotation in BY_TYPE
        values[name] = BY_TYPE[annotation] if known else integer_of(name, kind)
        if (kind, name) == (log_records.Backup2, "details"):
            values[name] = st.binary(min_size=24, max_size=24)
    return st.builds(kind, **values)


WRITTEN = [kind for kind in typing.get_args(log_records.Record) if kind is not log_records.Other]
records = st.sampled_from(WRITTEN).flatmap(record_of)


def test_every_type_of_the_annex_is_known_with_its_fixed_size():
    sizes = dict(FIXED_SIZES) | {kind: layout[0] for kind, layout in VARIABLE_SIZES.items()}
    assert {int(kind): size for kind, size in sizes.items() if kind in ANNEX_TYPES} == ANNEX_TYPES
    beyond = {int(kind) for kind in sizes} - set(ANNEX_TYPES)
    assert beyond == {RecordType.JET_OPERATION, RecordType.TRACE, RecordType.EXTEND_DB}


@settings(max_examples=400, deadline=None)
@given(records, st.binary(max_size=30), st.binary(max_size=30))
def test_a_record_survives_its_bytes_wherever_it_lies(record, before, after):
    data = log_records.encode(record)
    assert size_of(data, 0) == len(data)
    found, end = log_records.decode(before + data + after, len(before))
    assert found == record
    assert end == len(before) + len(data)


@pytest.mark.parametrize("kind", OFFSETS)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_fields_lie_where_annex_g_says(kind, data):
    record = data.draw(record_of(kind))
    image = log_records.encode(record)
    for name, (offset, width) in OFFSETS[kind].items():
        value = int.from_bytes(image[offset : offset + width], "little", signed=name in SIGNED)
        assert value == getattr(record, name), name


@pytest.mark.parametrize(
    ("encode", "kind"),
    [
        (log_records.encode_insert, log_records.Insert),
        (log_records.encode_replace, log_records.Replace),
        (log_records.encode_flag_delete, log_records.FlagDelete),
        (log_records.encode_delete, log_records.Delete),
        (log_records.encode_macro_begin, log_records.MacroBegin),
        (log_records.encode_macro_commit, log_records.MacroCommit),
    ],
)
@given(data=st.data())
def test_the_fast_encoders_give_the_bytes_of_the_general_one(encode, kind, data):
    record = data.draw(record_of(kind))
    values = list(record)
    if kind is log_records.Insert:
        record = record._replace(prefix=b"")
        values = [*record[:12], record.suffix, record.data]
        head = log_records.encode_insert_head(*values[:-1], len(record.data))
        assert head + record.data == log_records.encode(record)
    assert encode(*values) == log_records.encode(record)


def test_a_transaction_begins_at_level_0_and_commits_to_level_0():
    assert log_records.decode(log_records.encode_begin0(3, 77))[0] == (3, 0x10, 77)
    assert log_records.decode(log_records.encode_commit0(3, 78))[0] == (3, 0, 78)


@pytest.mark.parametrize("kind", sorted(ANNEX_TYPES))
@pytest.mark.parametrize("lengths", [0, 1, 3])
def test_a_record_of_every_type_has_its_size_and_is_refused_when_cut_off(kind, lengths):
    data = bytearray(ANNEX_TYPES[kind])
    data[0] = kind
    extra = 0
    if kind in VARIABLE_SIZES:
        _, at, fields = VARIABLE_SIZES[RecordType(kind)]
        for field in fields.replace("6x", " " * 6).replace("4x", " " * 4):
            width = {"H": 2, "I": 4, " ": 1}[field]
            if field != " ":
                data[at : at + width] = lengths.to_bytes(width, "little")
                extra += lengths
            at += width
    if kind == RecordType.REPLACE:
        data[48] = lengths
    data += b"\0" * extra
    assert size_of(data, 0) == ANNEX_TYPES[kind] + extra
    record, end = log_records.decode(bytes(data) + b"\xff", 0)
    assert end == len(data)
    if isinstance(record, log_records.Other):
        assert log_records.encode(record) == data
    for cut in range(len(data)):
        assert measure(data[:cut], 0) == 0


def test_version_information_in_create_db_comes_before_its_path():
    signature = Signature(1, LogTime.from_ns(0), "")
    record = log_records.CreateDb(1, 1, 0, 0, signature, "MDB1.edb")
    data = log_records.encode(record)
    assert data[42] == 8
    with_version = data[:42] + b"\x0c" + b"\x20\x06\x0c\x00" + data[43:]
    assert size_of(with_version, 0) == len(with_version)
    assert log_records.decode(with_version) == (record, len(with_version))


@pytest.mark.parametrize("kind", sorted(set(range(256)) - {int(kind) for kind in RecordType}))
def test_an_unknown_type_is_refused_with_its_offset(kind):
    with pytest.raises(EseError, match=rf"-501 .*offset 0x3: record type {kind} "):
        log_records.decode(b"\0\0\0" + bytes((kind,)) + bytes(600), 3)


@pytest.mark.parametrize(
    ("record", "flag_offset"),
    [
        (log_records.CreateDb(1, 1, 0, 0, SIGNATURE_ZERO, "D:\\MDB1.edb"), 42),
        (
            log_records.AttachDb(
                1, 1, 0, LGPOS_ZERO, SIGNATURE_ZERO, SIGNATURE_ZERO, "D:\\MDB1.edb"
            ),
            74,
        ),
        (log_records.DetachDb(1, 1, "D:\\MDB1.edb"), 6),
    ],
)
def test_a_log_before_unicode_names_a_database_in_ansi_and_says_so(record, flag_offset):
    ansi = record._replace(has_unicode_names=False)
    image = log_records.encode(ansi)
    assert image.endswith(b"D:\\MDB1.edb\0")
    assert image[flag_offset] == 0
    assert log_records.encode(record)[flag_offset] != 0
    assert size_of(image, 0) == len(image)
    assert log_records.decode(image, 0) == (ansi, len(image))
