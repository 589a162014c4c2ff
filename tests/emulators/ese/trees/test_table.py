"""Tables against a dict: rows, indexes and long values, committed, rolled back, and recovered."""

import pytest
from desk import Desk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulators.ese.errors import EseError
from emulators.ese.formats import log_records
from emulators.ese.formats.record import Separated
from emulators.ese.formats.schema import ColumnType, build_index, build_table

MAIL = build_table(
    "Mail",
    (
        ("Folder", ColumnType.LONG),
        ("Id", ColumnType.LONG),
        ("Received", ColumnType.CURRENCY),
        ("Unread", ColumnType.BIT),
        ("Sender", ColumnType.TEXT),
        ("Digest", ColumnType.BINARY),
        ("Body", ColumnType.LONG_BINARY),
    ),
    ("Folder", "Id"),
    (
        build_index("ByReceived", ("Folder", "Received")),
        build_index("BySender", ("Sender",)),
        build_index("ByUnread", ("Unread",), nulls=False),
        build_index("ByDigest", ("Digest",), unique=True, nulls=False),
    ),
)
FOLDERS = build_table("Folders", (("Id", ColumnType.LONG), ("Count", ColumnType.LONG)), ("Id",))
INDEX_SORTS = {
    "ByReceived": lambda row: (row[0], row[2] is not None, row[2] or 0, row[0], row[1]),
    "BySender": lambda row: (row[4] is not None, (row[4] or "").upper(), row[0], row[1]),
}
ROWS = st.tuples(
    st.integers(0, 2),
    st.integers(0, 9),
    st.none() | st.integers(-3, 3),
    st.none() | st.booleans(),
    st.none() | st.sampled_from(["", "ann", "Ann", "bob", "cy" * 150]),
    st.none() | st.binary(max_size=20),
    st.none()
    | st.integers(1, 3000).map(lambda size: bytes([size % 251]) * size)
    | st.integers(8000, 30_000).map(lambda size: bytes([size % 251]) * size),
)
ACTIONS = st.sampled_from(["put", "put", "put", "delete", "move", "share"])
STEPS = st.lists(st.tuples(ACTIONS, ROWS), min_size=1, max_size=8)
HISTORIES = st.lists(st.tuples(STEPS, st.booleans()), min_size=1, max_size=12)
PROFILE = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def play(table, transaction, model, steps):
    """Do steps to a table and to a dict of rows by primary key."""
    for action, row in steps:
        key = row[:2]
        taken = {held[5]: at for at, held in model.items() if held[5] is not None}
        is_free = row[5] is None or taken.get(row[5], key) == key
        if action == "delete":
            if key in model:
                table.delete(transaction, *key)
                del model[key]
        elif action == "move" and key in model:
            moved = ((key[0] + 1) % 3, *model[key][1:])
            if moved[:2] in model:
                with pytest.raises(EseError, match="-1605"):
                    table.update(transaction, key, {"Folder": moved[0]})
            else:
                table.update(transaction, key, {"Folder": moved[0]})
                del model[key]
                model[moved[:2]] = moved
        elif action == "share" and model:
            share(table, transaction, model, key)
        elif not is_free:
            with pytest.raises(EseError, match="-1605"):
                (table.replace if key in model else table.insert)(transaction, row)
        elif key in model:
            table.replace(transaction, row)
            model[key] = row
        else:
            table.insert(transaction, row)
            model[key] = row


def share(table, transaction, model, key):
    """Let a row refer to the long value of another, as single instance storage does."""
    source = min(model)
    body = table.get(*source)[6]
    if key in model and (body is None or isinstance(body, Separated)):
        table.update(transaction, key, {"Body": body, "Unread": True})
        model[key] = (*model[key][:3], True, *model[key][4:6], model[source][6])


def check_rows(desk, model):
    table = desk.database.table("Mail")
    assert list(table.rows()) == [model[key] for key in sorted(model)]
    for folder in range(3):
        wanted = [model[key] for key in sorted(model) if key[0] == folder]
        assert [table.resolved(row) for row in table.range(folder)] == wanted
        backward = [table.resolved(row) for row in table.range(folder, descending=True)]
        assert backward == wanted[::-1]
    for name, order in INDEX_SORTS.items():
        wanted = sorted(model.values(), key=order)
        assert [table.resolved(row) for row in table.seek(name)] == wanted
        assert [table.resolved(row) for row in table.seek(name, descending=True)] == wanted[::-1]
    unread = [row for row in model.values() if row[3] is True]
    assert {row[:2] for row in table.seek("ByUnread", True)} == {row[:2] for row in unread}
    for row in model.values():
        assert any(found[:2] == row[:2] for found in table.seek("BySender", row[4]))
        if row[5] is not None:
            assert [found[:2] for found in table.seek("ByDigest", row[5])] == [row[:2]]
    desk.check()


@PROFILE
@given(HISTORIES)
def test_any_history_of_transactions_leaves_what_a_dict_holds(history):
    desk, model = Desk((MAIL, FOLDERS)), {}
    for steps, commits in history:
        transaction, after = desk.begin(), dict(model)
        play(desk.database.table("Mail"), transaction, after, steps)
        if commits:
            transaction.commit()
            model = after
        else:
            transaction.rollback()
    desk.check()
    check_rows(desk, model)


@PROFILE
@given(HISTORIES, st.data())
def test_a_log_that_ends_anywhere_is_recovered_to_the_last_commit_in_it(history, data):
    desk, model = Desk((MAIL, FOLDERS)), {}
    committed = [(0, {})]
    for steps, commits in history:
        transaction, after = desk.begin(), dict(model)
        play(desk.database.table("Mail"), transaction, after, steps)
        if commits:
            before = len(desk.log)
            transaction.commit()
            model = after
            committed.append((before + 1, dict(model)))
        else:
            transaction.rollback()
    cut = data.draw(st.integers(0, len(desk.log)))
    wanted = [rows for end, rows in committed if end <= cut][-1]
    recovered = desk.recovered(cut)
    check_rows(recovered, wanted)
    again = data.draw(st.integers(cut, len(recovered.log)))
    check_rows(recovered.recovered(again), wanted)


def test_recovery_of_every_prefix_of_a_log_with_every_kind_of_change():
    desk, model = Desk((MAIL, FOLDERS)), {}
    table = desk.database.table("Mail")
    committed = [(0, {})]
    for number in range(3):
        transaction = desk.begin()
        rows = [
            (1, each, number, number % 2 == 0, "ann", None, bytes([65 + each]) * 9000)
            for each in range(number, number + 3)
        ]
        steps = [("put", rows[0]), ("delete", rows[0]), ("put", rows[0]), ("put", rows[1])]
        steps += [("share", rows[1]), ("move", rows[0]), ("put", rows[2]), ("delete", rows[1])]
        after = dict(model)
        play(table, transaction, after, steps)
        if number == 1:
            transaction.rollback()
            continue
        before = len(desk.log)
        transaction.commit()
        model = after
        committed.append((before + 1, dict(model)))
    for cut in range(len(desk.log) + 1):
        wanted = [rows for end, rows in committed if end <= cut][-1]
        check_rows(desk.recovered(cut), wanted)
    kinds = {type(log_records.decode(record)[0]).__name__ for record in desk.log}
    assert kinds >= {
        "Insert", "Replace", "FlagDelete", "FlagInsert", "FlagInsertAndReplace", "Delete",
        "UndoInfo", "Undo", "Rollback", "Begin0", "Commit0",
    }  # fmt: skip


def test_a_long_value_lives_as_long_as_a_row_refers_to_it():
    desk = Desk((MAIL,))
    table = desk.database.table("Mail")
    transaction = desk.begin()
    table.insert(transaction, (1, 1, None, None, None, None, (b"x" * 9000, 5000)))
    body = table.get(1, 1)[6]
    for number in range(2, 5):
        table.insert(transaction, (1, number, None, None, None, None, body))
    assert table.long_values.reference_count(body.lid) == 4
    for number in range(1, 4):
        table.delete(transaction, 1, number)
    assert table.long_values.reference_count(body.lid) == 1
    assert table.resolved(table.get(1, 4))[6] == b"x" * 9000 + bytes(5000)
    table.update(transaction, (1, 4), {"Sender": "ann"})
    assert table.get(1, 4)[6] == body
    table.update(transaction, (1, 4), {"Body": b"short"})
    transaction.commit()
    assert list(table.long_values.tree.scan()) == []
    desk.check()


def test_a_payload_is_not_taken_for_a_reference_that_looks_like_it():
    desk = Desk((MAIL,))
    table = desk.database.table("Mail")
    transaction = desk.begin()
    table.insert(transaction, (1, 1, None, None, None, None, (b"x" * 2000,)))
    lid = table.get(1, 1)[6].lid
    table.update(transaction, (1, 1), {"Body": (lid,)})
    assert table.get(1, 1)[6] == bytes(lid)
    transaction.commit()
    desk.check()


def test_keys_longer_than_a_key_may_be_are_told_apart_by_their_rows():
    desk = Desk((MAIL,))
    table = desk.database.table("Mail")
    transaction = desk.begin()
    senders = ["s" * 255, "s" * 254 + "t", "s" * 300]
    for number, sender in enumerate(senders):
        table.insert(transaction, (1, number, None, None, sender, None, None))
    transaction.commit()
    for number, sender in enumerate(senders):
        assert [row[1] for row in table.seek("BySender", sender)] == [number]
    desk.check()


def test_an_index_reads_backwards_over_its_pages():
    desk = Desk((MAIL,))
    table = desk.database.table("Mail")
    transaction = desk.begin()
    for number in range(900):
        table.insert(transaction, (1, number, number % 7, None, "same", None, None))
    transaction.commit()
    found = [row[1] for row in table.seek("BySender", "same", descending=True)]
    assert found == list(range(899, -1, -1))
    found = [row[1] for row in table.seek("ByReceived", 1, 3, descending=True)]
    assert found == list(range(899, 2, -7))
    assert len(desk.check().used[table.indexes["BySender"].tree.tree.fdp]) > 5


def test_an_index_entry_without_a_row_is_damage():
    desk = Desk((MAIL,))
    table = desk.database.table("Mail")
    transaction = desk.begin()
    table.insert(transaction, (1, 1, None, None, "ann", None, None))
    table.tree.delete(transaction.context, next(table.tree.scan())[0])
    with pytest.raises(EseError, match=r"-1206.*index BySender"):
        list(table.seek("BySender", "ann"))


def test_a_database_opened_from_its_pages_has_the_same_indexes():
    desk = Desk((MAIL, FOLDERS))
    opened = desk.recovered(0).database.table("Mail")
    assert opened.definition == MAIL
    assert list(opened.indexes) == [index.name for index in MAIL.indexes]
    for name, index in desk.database.table("Mail").indexes.items():
        assert opened.indexes[name].tree.tree == index.tree.tree
