"""Small transactions on one core, through log and pages; disks and their waits cost nothing.

The timer counts this process's work alone, so that a busy machine does not show.
"""

from bisect import insort
from itertools import count
from time import process_time
from zlib import crc32

import pytest
from bare_group import ITEMS, LOG_BYTES, BareGroup, rows_of
from speeds import LOG_FRAMING_PER_S, RUN_TIME_PATH_PER_S, tell_ratio

from emulators.ese.formats.key import RowKey
from emulators.ese.formats.log_encoders import encode_begin0, encode_commit0, encode_insert
from emulators.ese.formats.log_stream import LogFrame
from emulators.ese.formats.record import RecordCodec

TRANSACTIONS = 10_000
WARM_UP = 3_000
PER_FLUSH = 100
ROUNDS = 5
FRAMED = 1_800


def nodes_of(rows):
    """Return keys and records of rows."""
    key, codec = RowKey(ITEMS), RecordCodec(ITEMS)
    return [(key.of(row), codec.encode(row)) for row in rows_of(rows)]


@pytest.mark.benchmark(
    timer=process_time, group=f"{TRANSACTIONS} small transactions through log and pages"
)
def test_transactions(benchmark, figure):
    group = BareGroup()
    group.insert_all(rows_of(WARM_UP, -WARM_UP), PER_FLUSH)
    firsts = count(1, TRANSACTIONS)

    def setup():
        return (rows_of(TRANSACTIONS, next(firsts)), PER_FLUSH), {}

    benchmark.pedantic(group.insert_all, setup=setup, rounds=ROUNDS)
    assert group.transactions == WARM_UP + ROUNDS * TRANSACTIONS
    assert group.pages_written > 0
    tell_ratio(figure, benchmark, TRANSACTIONS, RUN_TIME_PATH_PER_S)


@pytest.mark.benchmark(
    timer=process_time, group=f"{TRANSACTIONS} small transactions through log and pages"
)
def test_floor_sorted_list_joined_log_and_crc(benchmark):
    nodes = nodes_of(TRANSACTIONS)

    def insert():
        tree, log, written = [], [], 0
        for number, node in enumerate(nodes, 1):
            insort(tree, node)
            log += node
            if number % PER_FLUSH == 0:
                written += len(b"".join(log))
                crc32(log[-1])
                log.clear()
        return written

    assert benchmark(insert) == sum(len(key) + len(record) for key, record in nodes)


def frame_transactions(nodes, per_flush):
    frame, written = LogFrame(1, LOG_BYTES), 0
    for number, (key, record) in enumerate(nodes, 1):
        frame.append(encode_begin0(1, number))
        frame.append(
            encode_insert(1, 1, 9, number, number - 1, number, 1, 3, 1, number, 33, 6, key, record)
        )
        frame.append(encode_commit0(1, number + 1))
        if number % per_flush == 0:
            written += len(frame.flush()[1])
    return written


@pytest.mark.parametrize("per_flush", [1, PER_FLUSH])
@pytest.mark.benchmark(timer=process_time, group=f"{FRAMED} small transactions into a log")
def test_log_framing(benchmark, figure, per_flush):
    nodes = nodes_of(FRAMED)
    assert benchmark(frame_transactions, nodes, per_flush) > FRAMED * 250
    tell_ratio(figure, benchmark, len(nodes), LOG_FRAMING_PER_S)


@pytest.mark.benchmark(timer=process_time, group=f"{FRAMED} small transactions into a log")
def test_floor_join_and_crc_of_the_same_records(benchmark):
    nodes = nodes_of(FRAMED)

    def join():
        return crc32(b"".join([part for node in nodes for part in node]))

    assert benchmark(join)
