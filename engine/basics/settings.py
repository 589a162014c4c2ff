"""Settings of the engine's parts; all sizes in bytes, all times in nanoseconds.

Every bound on bytes counts *raw* bytes: what records stand for, before compression and zero-run
elision, plus 64 per header. A driver in the kernel holds the raw data, and so the engine's
decisions (push-back, batch and segment borders) do not depend on how well the content compresses.
"""

from dataclasses import dataclass
from typing import Literal

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000


OverflowPolicy = Literal["push_back", "spill", "break"]
"""What becomes of a change that the full pool has no room for (protection.md 3.4):

* push_back: its writer waits; nothing is lost, the application feels the link;
* spill: the record goes to the spool, and when that is full, too, its place alone is kept;
* break: nothing is kept; both ends must be compared afterwards.
"""


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """Settings of the capture at the source."""

    #: protection.md 1.2: a sixteenth of RAM, at least 64 MB.
    pool_bytes_max: int = 64 << 20
    overflow: OverflowPolicy = "push_back"
    #: What may wait on the spool's disk, 0 for no spool; its files take a pool and a file more.
    #: Assumption: the sheet gives no size.
    spool_bytes_max: int = 1 << 30
    #: The spool's files, each deleted as a whole: as large as protection.md's drain unit.
    spool_file_bytes_max: int = 4 << 20
    #: What may be on its way to the spool's disk: a slower disk loses the order. Assumption.
    spool_buffer_bytes_max: int = 8 << 20
    #: protection.md 1.2: more changes than this become a bitmap, fewer than that ranges again.
    metadata_changes_max: int = 65_536
    metadata_changes_low: int = 16_384
    #: One read of a live file while a gap is filled, and all under way (the drain unit).
    drain_read_bytes_max: int = 1 << 20
    drain_window_bytes_max: int = 4 << 20
    #: How long a live file that could not be read is left alone. Assumption.
    drain_retry_ns: int = SECOND_NS
    #: An idle group gets a TIME record this often. Assumption: the sheet gives no interval.
    time_interval_ns: int = SECOND_NS
    #: zstd level of record bodies, None for none. Assumption: the quick level.
    compression_level: int | None = 1
    #: How long a two-phase tag may wait for its commit (protection.md 1.3).
    tag_commit_timeout_ns_crash: int = 300 * MILLISECOND_NS
    tag_commit_timeout_ns_app: int = 60 * SECOND_NS

    def __post_init__(self) -> None:
        assert self.pool_bytes_max > 0
        assert self.spool_bytes_max >= 0
        assert self.spool_file_bytes_max > 0
        assert self.metadata_changes_low <= self.metadata_changes_max
        assert 0 < self.drain_read_bytes_max <= self.drain_window_bytes_max
        assert self.tag_commit_timeout_ns_crash > 0
        assert self.tag_commit_timeout_ns_app > 0
        assert self.time_interval_ns > 0


@dataclass(frozen=True, slots=True)
class BandwidthRule:
    """On these days, between these times of the day, so many bytes per second at most.

    Attributes:
        weekdays: Bit 0 is Monday, bit 6 Sunday; of the day on which `from_ns` lies.
        from_ns: Since midnight of the source's wall clock.
        until_ns: The end, excluded; at most 24 h. A rule over midnight is two rules.
        bytes_per_s: 0 lets nothing through but heartbeats.
    """

    weekdays: int
    from_ns: int
    until_ns: int
    bytes_per_s: int

    def __post_init__(self) -> None:
        assert 0 < self.weekdays < 1 << 7
        assert 0 <= self.from_ns < self.until_ns <= 24 * 3600 * SECOND_NS
        assert self.bytes_per_s >= 0


@dataclass(frozen=True, slots=True)
class DailyHours:
    """A time of the day on some weekdays, by the source's wall clock.

    Attributes:
        weekdays: Bit 0 is Monday, bit 6 Sunday.
        from_ns: Since midnight.
        until_ns: The end, excluded; at most 24 h. Hours over midnight are two of these.
    """

    weekdays: int
    from_ns: int
    until_ns: int

    def __post_init__(self) -> None:
        assert 0 < self.weekdays < 1 << 7
        assert 0 <= self.from_ns < self.until_ns <= 24 * 3600 * SECOND_NS


ResyncPolicy = Literal["operator", "automatic", "hours"]
"""Who decides that both ends are compared, which reads all of the source's files:

* operator: only the operator's word (`events.ResyncOrdered`); a source that cannot go on halts;
* automatic: at once;
* hours: at once within the given hours, else when they begin (ASR waits for the night,
  protection.md 1.4); a comparison that has begun goes on after them.
"""


@dataclass(frozen=True, slots=True)
class ResyncSettings:
    """When both ends are compared, and how much of it is under way at a time."""

    policy: ResyncPolicy = "operator"
    hours: tuple[DailyHours, ...] = ()
    #: protection.md 3.5: one hash for so much, and one per block only where it differs.
    extent_bytes: int = 1 << 20
    #: What is being read and compared at a time. Assumption: four drain windows.
    window_bytes_max: int = 16 << 20
    #: So many extents at a time, where files are small. Assumption.
    window_extents_max: int = 1_024
    #: The target hashes so much before it answers, and can do nothing else. Assumption.
    ask_bytes_max: int = 4 << 20

    def __post_init__(self) -> None:
        assert (self.policy == "hours") == bool(self.hours), "hours belong to that policy"
        assert 0 < self.ask_bytes_max <= self.window_bytes_max
        assert self.extent_bytes >= 16 << 10, "an extent has a block at least"
        assert not self.extent_bytes % (16 << 10), "an extent has whole blocks"
        assert self.window_extents_max > 0


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Settings of both ends of a session; the source alone uses batches, window and reconnects."""

    #: protection.md 1.2: the drain unit is 4 MB.
    batch_bytes_max: int = 4 << 20
    window_bytes_max: int = 32 << 20
    batch_linger_ns: int = 5 * MILLISECOND_NS
    heartbeat_interval_ns: int = 5 * SECOND_NS
    #: Must be several heartbeats. Assumption, as are the other times here.
    peer_timeout_ns: int = 20 * SECOND_NS
    connect_timeout_ns: int = 10 * SECOND_NS
    reconnect_delay_ns_min: int = SECOND_NS // 4
    reconnect_delay_ns_max: int = 30 * SECOND_NS
    frame_bytes_max: int = 72 << 20
    #: zstd level of whole batches, None for none: it mostly finds headers and small records.
    #: Used where the other end can take it (None there: it cannot).
    batch_compression_level: int | None = 1
    #: A step of a wall clock beyond these is told to the operator (protection.md 1.2).
    clock_jump_ns_forward: int = 3 * 60 * SECOND_NS
    clock_jump_ns_backward: int = 60 * 60 * SECOND_NS
    #: What the source may send, by the source's wall clock; the first rule that fits holds.
    bandwidth: tuple[BandwidthRule, ...] = ()
    #: What becomes of a source whose changes the target does not know in order.
    resync: ResyncSettings = ResyncSettings()

    def __post_init__(self) -> None:
        assert 0 < self.batch_bytes_max <= self.window_bytes_max
        assert self.heartbeat_interval_ns * 2 <= self.peer_timeout_ns, "one may get lost"
        assert 0 < self.reconnect_delay_ns_min <= self.reconnect_delay_ns_max
        assert self.clock_jump_ns_forward > 0
        assert self.clock_jump_ns_backward > 0


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """Settings of the journal at the target."""

    #: protection.md 3.1: etcd's segments are 64 MB. Counts records; header, marks and footer of
    #: the file come on top.
    segment_bytes_max: int = 64 << 20
    #: Bounds the rows that are in memory. Assumption.
    segment_records_max: int = 65_536
    #: What of index files is kept in memory. Assumption.
    index_cache_bytes_max: int = 32 << 20

    def __post_init__(self) -> None:
        assert self.segment_bytes_max > 0
        assert 0 < self.segment_records_max < 1 << 32, "an index counts rows in 32 bits"
        assert self.index_cache_bytes_max > 0


@dataclass(frozen=True, slots=True)
class LayerSettings:
    """Settings of the layers over a journal: when they are made, and in which steps."""

    #: So many sealed segments are flattened into one delta layer (Neon's L0 -> L1, protection.md
    #: 3.2); the sealed segments with their index files are the level below.
    segments_per_delta: int = 10
    #: So many adjacent delta layers of one level are merged into one of the next. Assumption.
    deltas_per_merge: int = 10
    #: An image layer is made once so many deltas lie over the last one (Neon, protection.md 3.2),
    deltas_per_image: int = 3
    #: and together hold this share of its bytes, so that a large image is not rewritten for little
    #: (Neon slices its images instead). Assumption.
    image_share_min: float = 0.5
    #: More sealed segments than this without a layer mean that layers fall behind (Neon's
    #: back-pressure, protection.md 3.2).
    segments_behind_max: int = 30
    #: A step reads and writes about this many raw bytes: protection.md 1.2's drain unit.
    step_bytes_max: int = 4 << 20
    #: Data is stored in blocks of at most this many raw bytes. Assumption: what one read costs.
    block_bytes_max: int = 64 << 10
    #: zstd level of blocks, None for none.
    compression_level: int | None = 1

    def __post_init__(self) -> None:
        assert self.segments_per_delta > 0
        assert self.deltas_per_merge > 1
        assert self.deltas_per_image > 0
        assert 0 < self.block_bytes_max <= self.step_bytes_max


@dataclass(frozen=True, slots=True)
class FailoverSettings:
    """Settings of promotions, of the authority and of leases. All times are assumptions."""

    #: How long an authority that does not answer is asked again before a promotion is given up.
    ask_timeout_ns: int = 10 * SECOND_NS
    ask_retry_ns: int = SECOND_NS
    #: How long a planned switch keeps the source's writers waiting for the last records.
    drain_timeout_ns: int = 300 * SECOND_NS
    #: How long a promotion may be rolled back, and what becomes of it then (Zerto's commit policy,
    #: protection.md 1.5); None: until the operator says.
    commit_timeout_ns: int | None = 3600 * SECOND_NS
    at_commit_timeout: Literal["commit", "roll_back"] = "commit"
    #: A source that was not heard for so long is given up, by the detector and by the witness.
    source_timeout_ns: int = 60 * SECOND_NS
    #: For how long the witness lets one copy be promoted automatically.
    lease_ns: int = 30 * SECOND_NS
    #: What two clocks may differ by in the course of a lease.
    lease_margin_ns: int = SECOND_NS

    def __post_init__(self) -> None:
        assert 0 < self.ask_retry_ns <= self.ask_timeout_ns
        assert self.drain_timeout_ns > 0
        assert self.commit_timeout_ns is None or self.commit_timeout_ns > 0
        assert self.source_timeout_ns > 0
        assert 0 <= self.lease_margin_ns < self.lease_ns
