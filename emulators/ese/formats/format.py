"""What distinguishes one Exchange version's files from another's, and how log files are named.

Everything that varies between versions is a field of `Format`; the other modules of the formats
take it as a parameter and know no version.
"""

from dataclasses import dataclass, replace

SECTOR_BYTES = 512
"""A log sector (exchange.md F9)."""

LOG_HEADER_BYTES = 4096
"""A log or checkpoint header: eight sectors (ese-format.md G, H)."""

LONG_VALUE_OVERHEAD_BYTES = 82
"""What a page cannot give to one chunk of a long value (ese-format.md E)."""

DATABASE_VERSION = 0x620
CHECKSUM_REVISION = 0xB
"""The first database revision with ECC page checksums (ese-format.md C)."""
CATALOG_KEY_MOST_REVISION = 0xC
"""The first revision whose catalog has the columns KeyMost and Version (ese-format.md F)."""
CATALOG_LATER_REVISION = 0x14
"""A revision whose catalog describes six more columns (seen in databases that Windows wrote)."""
LOG_UPDATE_OLDEST = 5
"""The first log version whose header names its file type (ese-format.md G)."""
LOG_UPDATE_UNICODE_NAMES = 9
LOG_UPDATE_BACKUP_RECORDS = 10
"""The log versions that brought Unicode names and LRLOGBACKUP2 (ese-format.md G)."""


@dataclass(frozen=True, slots=True)
class Format:
    """The on-disk parameters of one Exchange version.

    Args:
        name: the product that writes it.
        revision: second half of the database version (0x620, revision).
        page_bytes: size of a database page.
        log_bytes: size of a log file.
        log_version: major, minor and update version of the log format.
        generation_digits: hexadecimal digits of the generation in an archived log's name.
        generation_max: last usable log generation (exchange.md F12).
        generation_max_recovery: the last one that undo may use in a recovery.
        reserve_names: names of the two reserve logs; '{}' stands for the prefix (F7).
        has_waypoint: whether logs are committed that are not required, and the header says so
            (exchange.md 1.2); without, the newest required log is the newest log.
        has_streaming_file: whether a .stm file belongs to each database (F8).
    """

    name: str
    revision: int
    page_bytes: int
    log_bytes: int
    log_version: tuple[int, int, int]
    generation_digits: int
    generation_max: int
    generation_max_recovery: int
    reserve_names: tuple[str, str]
    has_waypoint: bool
    has_streaming_file: bool

    @property
    def has_ecc(self) -> bool:
        """Whether new pages carry an error correcting code (ese-format.md C)."""
        return self.revision >= CHECKSUM_REVISION

    @property
    def is_of_later_engine(self) -> bool:
        """Whether an engine after Exchange 2007 wrote it: it is read, never written, in part."""
        return self.revision > CATALOG_KEY_MOST_REVISION

    @property
    def has_unicode_names(self) -> bool:
        """Whether the log names databases in Unicode."""
        return self.log_version[2] >= LOG_UPDATE_UNICODE_NAMES

    @property
    def has_backup_records(self) -> bool:
        """Whether the log tells of backups."""
        return self.log_version[2] >= LOG_UPDATE_BACKUP_RECORDS

    @property
    def log_sectors(self) -> int:
        """Sectors of a log file."""
        return self.log_bytes // SECTOR_BYTES

    @property
    def long_value_chunk_bytes(self) -> int:
        """Bytes of a long value that one chunk holds: 8110 of 8192, 4014 of 4096."""
        return self.page_bytes - LONG_VALUE_OVERHEAD_BYTES


EXCHANGE_2007 = Format(
    name="Exchange 2007",
    revision=0xC,
    page_bytes=8192,
    log_bytes=1 << 20,
    log_version=(7, 3704, 10),
    generation_digits=8,
    generation_max=0x7FFFF800,
    generation_max_recovery=0x7FFFFA00,
    reserve_names=("{}res00001.jrs", "{}res00002.jrs"),
    has_waypoint=True,
    has_streaming_file=False,
)

# Assumption (ese-format.md, targets): 2003 SP1 and SP2 write at least log update version 5; 8 is
# the newest update that is older than SP1. Its last generation is the blog's value of F12; undo may
# go on to the last one that five digits name.
EXCHANGE_2003 = Format(
    name="Exchange 2003 SP1",
    revision=0xB,
    page_bytes=4096,
    log_bytes=5 << 20,
    log_version=(7, 3704, 8),
    generation_digits=5,
    generation_max=0xFFFF0,
    generation_max_recovery=0xFFFFF,
    reserve_names=("res1.log", "res2.log"),
    has_waypoint=False,
    has_streaming_file=True,
)

EXCHANGE_2003_RTM = replace(
    EXCHANGE_2003, name="Exchange 2003 RTM", revision=0x9, log_version=(7, 3704, 5)
)

FORMATS = (EXCHANGE_2003_RTM, EXCHANGE_2003, EXCHANGE_2007)
"""Every format that can be written."""


def archive_name(prefix: str, generation: int, log_format: Format = EXCHANGE_2007) -> str:
    """Return the name of a closed log: prefix and upper-case hex generation (exchange.md F2)."""
    last = log_format.generation_max_recovery
    assert 0 < generation <= last, f"generation {generation} has no name"
    return f"{prefix}{generation:0{log_format.generation_digits}X}.log"


def current_name(prefix: str) -> str:
    """Return the name of the log being written (exchange.md F3)."""
    return f"{prefix}.log"


def temporary_name(prefix: str) -> str:
    """Return the name of the log being prepared for the next roll (exchange.md F4)."""
    return f"{prefix}tmp.log"


def reserve_names(prefix: str, log_format: Format = EXCHANGE_2007) -> tuple[str, str]:
    """Return the names of the two reserve logs (exchange.md F7)."""
    first, second = log_format.reserve_names
    return first.format(prefix), second.format(prefix)


def checkpoint_name(prefix: str) -> str:
    """Return the name of the checkpoint file (exchange.md F5)."""
    return f"{prefix}.chk"


def archive_generation(name: str, prefix: str, log_format: Format = EXCHANGE_2007) -> int | None:
    """Return the generation that a closed log's name states, or None for any other file."""
    digits = name[len(prefix) : -len(".log")]
    if len(digits) != log_format.generation_digits:
        return None
    try:
        generation = int(digits, 16)
    except ValueError:
        return None
    in_range = 0 < generation <= log_format.generation_max_recovery
    matches = in_range and name.upper() == archive_name(prefix, generation, log_format).upper()
    return generation if matches else None
