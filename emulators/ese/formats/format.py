"""What distinguishes one Exchange version's files from another's, and how log files are named.

Everything that varies between versions is a field of `Format`; the other modules of the formats
take it as a parameter and know no version.
"""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Format:
    """The on-disk parameters of one Exchange version.

    Args:
        revision: second half of the database version (0x620, revision).
        page_bytes: size of a database page.
        log_bytes: size of a log file.
        log_version: major, minor and update version of the log format.
        generation_digits: hexadecimal digits of the generation in an archived log's name.
        generation_max: last usable log generation (exchange.md F12).
        generation_max_recovery: the last one that undo may use in a recovery.
    """

    revision: int
    page_bytes: int
    log_bytes: int
    log_version: tuple[int, int, int]
    generation_digits: int
    generation_max: int
    generation_max_recovery: int

    @property
    def log_sectors(self) -> int:
        """Sectors of a log file."""
        return self.log_bytes // SECTOR_BYTES

    @property
    def long_value_chunk_bytes(self) -> int:
        """Bytes of a long value that one chunk holds: 8110 of 8192, 4014 of 4096."""
        return self.page_bytes - LONG_VALUE_OVERHEAD_BYTES


EXCHANGE_2007 = Format(
    revision=0xC,
    page_bytes=8192,
    log_bytes=1 << 20,
    log_version=(7, 3704, 10),
    generation_digits=8,
    generation_max=0x7FFFF800,
    generation_max_recovery=0x7FFFFA00,
)

# Assumption (ese-format.md, targets): 2003 SP1 and SP2 write at least log update version 5; 8 is
# the newest update that is older than SP1. Its last generation is the blog's value of F12; undo may
# go on to the last one that five digits name.
EXCHANGE_2003 = Format(
    revision=0xB,
    page_bytes=4096,
    log_bytes=5 << 20,
    log_version=(7, 3704, 8),
    generation_digits=5,
    generation_max=0xFFFF0,
    generation_max_recovery=0xFFFFF,
)


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
    """Return the names of the two logs kept for a full disk (exchange.md F7)."""
    if log_format.generation_digits == 5:
        return "res1.log", "res2.log"
    return f"{prefix}res00001.jrs", f"{prefix}res00002.jrs"


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
