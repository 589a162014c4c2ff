"""The header of a log file, and the pattern of its unused part (ese-format.md G)."""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from struct import Struct

from emulators.ese.errors import ese_error
from emulators.ese.formats.checksum import Bytes, block_checksum
from emulators.ese.formats.format import (
    EXCHANGE_2007,
    LOG_HEADER_BYTES,
    LOG_UPDATE_OLDEST,
    SECTOR_BYTES,
    Format,
)
from emulators.ese.formats.values import (
    LGPOS_ZERO,
    LOG_TIME_ZERO,
    AttachInfo,
    DbmsParam,
    Lgpos,
    LogTime,
    Signature,
    pack_attachments,
    unpack_attachments,
)

FILE_TYPE_LOG = 3
FLAG_RESERVE_LOG = 1
FLAG_CIRCULAR_NOW = 2
FLAG_CIRCULAR_BEFORE = 4

ATTACHMENTS_OFFSET = 671
ATTACHMENTS_BYTES = 2048

_PATTERN_BYTE = 0xDA
_PATTERNS_KEPT = 8
_LAYOUT = Struct("<IiHHHH8s8sIII28s567sB8sIB8sxxxxxxI")
_MINOR_UPDATE = 0


@lru_cache(_PATTERNS_KEPT)
def fill_pattern(size: int) -> bytes:
    """Return `size` bytes of the pattern that fills the unused part of a log file."""
    sector = bytes(
        _PATTERN_BYTE + at & 0xFF if at % 16 == 0 else _PATTERN_BYTE for at in range(SECTOR_BYTES)
    )
    return (sector * (size // SECTOR_BYTES + 1))[:size]


@dataclass(frozen=True, slots=True)
class LogHeader:
    """LGFILEHDR: which generation a log file is, of which set, and what was attached.

    `previous_created` must be the creation time of the generation before (exchange.md F14).
    `update` is the update version that was read, None for that of the format.
    """

    generation: int
    created: LogTime
    previous_created: LogTime
    signature: Signature
    log_format: Format = EXCHANGE_2007
    parameters: DbmsParam = field(default_factory=DbmsParam)
    flags: int = 0
    checkpoint: Lgpos = LGPOS_ZERO
    attachments: tuple[AttachInfo, ...] = ()
    update: int | None = None

    @property
    def version(self) -> tuple[int, int, int]:
        """Major, minor and update version of the log."""
        major, minor, update = self.log_format.log_version
        return major, minor, update if self.update is None else self.update

    def pack(self) -> bytes:
        """Return the 4096 bytes of the header."""
        major, minor, update = self.version
        page_bytes = self.log_format.page_bytes
        fields = _LAYOUT.pack(
            0,
            self.generation,
            SECTOR_BYTES,
            LOG_HEADER_BYTES // SECTOR_BYTES,
            self.log_format.log_sectors,
            0 if page_bytes == 4096 else page_bytes,
            self.created.pack(),
            self.previous_created.pack(),
            major,
            minor,
            update,
            self.signature.pack(),
            self.parameters.pack(),
            self.flags,
            self.checkpoint.pack(),
            _MINOR_UPDATE,
            0,
            b"",
            FILE_TYPE_LOG,
        )
        attachments = pack_attachments(self.attachments, ATTACHMENTS_BYTES)
        block = (fields + attachments).ljust(LOG_HEADER_BYTES, b"\0")
        return block_checksum(block).to_bytes(4, "little") + block[4:]

    def next(self, created: LogTime) -> "LogHeader":
        """Return the header of the generation that follows this one (exchange.md F14).

        It remembers circular logging, but is no reserve log.
        """
        flags = self.flags & FLAG_CIRCULAR_NOW
        if self.flags & (FLAG_CIRCULAR_NOW | FLAG_CIRCULAR_BEFORE):
            flags |= FLAG_CIRCULAR_BEFORE
        return replace(
            self,
            generation=self.generation + 1,
            created=created,
            previous_created=self.created,
            update=None,
            flags=flags,
        )

    @classmethod
    def unpack(
        cls, block: Bytes, log_format: Format = EXCHANGE_2007, where: str = "log"
    ) -> "LogHeader":
        """Read a header; raises EseError -501, -514, -541 or -1213.

        A log of an older update version is taken, down to the first that is like those of today.
        The size comes before the version, as a log of the other product is -541 (exchange.md 1.5).

        Args:
            block: at least the first 4096 bytes of the file.
            log_format: what the engine is configured for; sizes that differ are refused.
            where: names the file in errors.
        """
        block = bytes(block[:LOG_HEADER_BYTES])
        hint = "recover from another copy of this log, or to before it"
        if len(block) < LOG_HEADER_BYTES:
            raise ese_error(-501, f"{where}: the file ends inside its header", hint)
        (
            checksum, generation, sector_bytes, _, sectors, page_bytes, created, previous, major,
            minor, update, signature, parameters, flags, checkpoint, _, _, _, file_type,
        ) = _LAYOUT.unpack_from(block)  # fmt: skip
        if checksum != block_checksum(block):
            raise ese_error(-501, f"{where}: the header's checksum is wrong", hint)
        if file_type != FILE_TYPE_LOG:
            raise ese_error(-501, f"{where}: the header is of file type {file_type}", hint)
        if sectors != log_format.log_sectors or sector_bytes != SECTOR_BYTES:
            size = f"{where}: {sectors} sectors of {sector_bytes} bytes"
            raise ese_error(-541, size, "replay with the Exchange version that wrote it")
        *known, update_newest = log_format.log_version
        if [major, minor] != known or not LOG_UPDATE_OLDEST <= update <= update_newest:
            version = f"{where}: log version {major}.{minor}.{update}"
            raise ese_error(-514, version, "replay with the Exchange version that wrote it")
        if (page_bytes or 4096) != log_format.page_bytes:
            raise ese_error(
                -1213, f"{where}: page size {page_bytes}", "use the databases of this log set"
            )
        return cls(
            generation=generation,
            created=LogTime.unpack(created),
            previous_created=LogTime.unpack(previous),
            signature=Signature.unpack(signature),
            log_format=log_format,
            parameters=DbmsParam.unpack(parameters),
            flags=flags,
            checkpoint=Lgpos.unpack(checkpoint),
            attachments=unpack_attachments(
                block[ATTACHMENTS_OFFSET : ATTACHMENTS_OFFSET + ATTACHMENTS_BYTES]
            ),
            update=None if update == update_newest else update,
        )


assert _LAYOUT.size == ATTACHMENTS_OFFSET, "the header's fixed part does not end at its list"
assert LOG_TIME_ZERO.pack() == bytes(8), "a time that is not set is all zeros"
