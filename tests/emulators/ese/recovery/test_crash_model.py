"""Tables against a dict while pages are written and pages freed are used again, with crashes."""

from collections import Counter
from random import Random

import pytest
from desk import Desk
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from emulators.ese.formats import log_records
from emulators.ese.formats.schema import ColumnType, build_index, build_table

NOTES = build_table(
    "Notes",
    (
        ("Id", ColumnType.LONG),
        ("Owner", ColumnType.LONG),
        ("Title", ColumnType.TEXT),
        ("Text", ColumnType.LONG_BINARY),
    ),
    ("Id",),
    (build_index("ByTitle", ("Title",)), build_index("ByOwner", ("Owner", "Title"))),
)
BOXES = build_table("Boxes", (("Id", ColumnType.LONG), ("Data", ColumnType.BINARY)), ("Id",))
SEEDS = st.integers(0, 2**32)
PROFILE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ROLLS_SHARE = 0.01
"""Of the log records, those after which the log rolls, wherever that may be."""


class Clerk:
    """Random work on two tables, and the dicts that they must be equal to."""

    def __init__(self, random, keys=60):
        self.random = random
        self.keys = keys
        self.desk = Desk((NOTES, BOXES))
        self.model = {"Notes": {}, "Boxes": {}}
        self.committed = [(0, self.model)]

    def row(self, name, key):
        random = self.random
        if name == "Boxes":
            return key, bytes([random.randrange(256)]) * random.choice((10, 700, 1900, 3000))
        title = f"{random.randrange(400):03}" * random.choice((1, 40, 80))
        size = random.choice((0, 50, 900, 900, 5000, 20_000))
        return key, random.randrange(4), title, bytes([key]) * size or None

    def step(self, transaction, model, *, growing):
        name = self.random.choice(("Notes", "Boxes"))
        table, rows = self.desk.database.table(name), model[name]
        key = self.random.randrange(self.keys)
        if key not in rows:
            if self.random.random() < (0.9 if growing else 0.2):
                rows[key] = self.row(name, key)
                table.insert(transaction, rows[key])
        elif self.random.random() < (0.3 if growing else 0.8):
            table.delete(transaction, key)
            del rows[key]
        else:
            rows[key] = self.row(name, key)
            table.replace(transaction, rows[key])

    def work(self, transactions):
        self.desk.rolls = lambda: self.random.random() < ROLLS_SHARE
        for number in range(transactions):
            growing = number % 40 < 20
            transaction = self.desk.begin()
            model = {name: dict(rows) for name, rows in self.model.items()}
            for _ in range(self.random.randrange(1, 9)):
                self.step(transaction, model, growing=growing)
            if self.random.random() < 0.15:
                transaction.rollback()
            else:
                end = self.desk.commit(transaction)
                self.model = model
                self.committed.append((end, model))
            if self.random.random() < 0.3:
                self.desk.roll()
            if self.random.random() < 0.3:
                self.desk.flush()

    def crash(self, *, mounts=True):
        """Cut the log and the writes under way somewhere; return the model that must be left."""
        chance = self.random.random()
        self.desk.flush(lambda _: self.random.random() < chance)
        end = self.random.randint(self.desk.closed, len(self.desk.log))
        recovered = self.desk.recovered(end)
        self.desk = recovered
        if mounts:
            self.desk.mounted_again()
        self.model = [model for last, model in self.committed if last <= end][-1]
        self.committed = [(0, self.model)]

    def check(self):
        findings = self.desk.check()
        for name, rows in self.model.items():
            found = list(self.desk.database.table(name).rows())
            assert found == [rows[key] for key in sorted(rows)]
        return findings


@settings(PROFILE, max_examples=25)
@example(seed=41945383)
@given(SEEDS)
def test_after_any_work_and_crash_the_tables_hold_what_was_committed(seed):
    random = Random(seed)
    clerk = Clerk(random)
    for _ in range(3):
        clerk.work(random.randrange(1, 50))
        clerk.crash()
        clerk.check()


@pytest.mark.nightly
def test_after_much_work_and_many_crashes_the_tables_hold_what_was_committed(figure):
    counts = Counter()

    @settings(PROFILE, max_examples=600)
    @given(SEEDS)
    def live(seed):
        random = Random(seed)
        clerk = Clerk(random, keys=random.choice((60, 200)))
        for _ in range(6):
            clerk.work(random.randrange(1, 120))
            clerk.crash()
            clerk.check()
            counts["crashes"] += 1
        counts["histories"] += 1

    live()
    figure(f"{dict(counts)}")


@settings(PROFILE, max_examples=5)
@given(SEEDS)
def test_a_recovery_cut_in_the_middle_is_begun_again(seed):
    random = Random(seed)
    clerk = Clerk(random)
    clerk.work(60)
    clerk.crash(mounts=False)
    model = clerk.model
    first = clerk.desk
    first.generation += 1
    first.flush(lambda _: random.random() < 0.5)
    clerk.desk = first.recovered(len(first.log))
    clerk.model = model
    clerk.check()


def test_pages_that_were_emptied_are_used_again(figure):
    desk = Desk((NOTES, BOXES))
    boxes = desk.database.table("Boxes")
    sizes = []
    for _ in range(6):
        transaction = desk.begin()
        for key in range(600):
            boxes.insert(transaction, (key, b"d" * 2000))
        transaction.commit()
        desk.roll()
        desk.flush()
        sizes.append(desk.last_pgno)
        transaction = desk.begin()
        for key in range(600):
            boxes.delete(transaction, key)
        transaction.commit()
        desk.roll()
        desk.flush()
        assert not desk.check().leaked
    figure(f"pages of the file after each of six times 600 rows: {sizes}")
    assert sizes[0] == sizes[-1]
    kinds = Counter(type(log_records.decode(record)[0]).__name__ for record in desk.log)
    assert kinds["Merge"] > 6 * 100
