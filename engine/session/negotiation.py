"""What two ends agree on before the first record flows: a version, and what both can do."""

from typing import NamedTuple

from engine.basics.errors import FrameUnexpected, VersionUnsupported
from engine.basics.settings import SessionSettings
from engine.formats.wire import (
    VERSION_NEWEST,
    VERSION_OLDEST,
    Capability,
    Hello,
    HelloFlag,
    Welcome,
)


class Versions(NamedTuple):
    """A range of protocol versions, both ends included."""

    oldest: int
    newest: int


SPOKEN = Versions(VERSION_OLDEST, VERSION_NEWEST)
_FLAGS_KNOWN = sum(HelloFlag)


class Terms(NamedTuple):
    """What both ends of a connection speak."""

    version: int
    capabilities: int

    @property
    def has_zstd(self) -> bool:
        """Return whether batches may be compressed."""
        return bool(self.capabilities & Capability.ZSTD)

    @property
    def has_resync(self) -> bool:
        """Return whether both ends can be compared."""
        return bool(self.capabilities & Capability.RESYNC)


def capabilities_of(settings: SessionSettings) -> Capability:
    """Return what an end with these settings can do."""
    is_plain = settings.batch_compression_level is None
    return Capability.RESYNC | (Capability(0) if is_plain else Capability.ZSTD)


def choose_terms(hello: Hello, settings: SessionSettings) -> Terms:
    """Return what the target chooses: the newest common version, all common capabilities.

    Raises:
        VersionUnsupported: There is no common version, or the source is of a kind unknown here.
    """
    # A capability may be passed over, a kind of source may not: it would be taken for another.
    if unknown := hello.flags & ~_FLAGS_KNOWN:
        raise VersionUnsupported(
            f"The source is of a kind that this target does not know: {unknown:#x}"
        )
    version = newest_common(Versions(hello.version_oldest, hello.version_newest), SPOKEN)
    return Terms(version, hello.capabilities & capabilities_of(settings))


def newest_common(offered: Versions, spoken: Versions) -> int:
    """Return the newest version in both ranges.

    Raises:
        VersionUnsupported: There is none.
    """
    newest = min(offered.newest, spoken.newest)
    if newest < max(offered.oldest, spoken.oldest):
        raise VersionUnsupported(
            f"The source speaks protocol versions {offered.oldest} to {offered.newest}, this "
            f"target {spoken.oldest} to {spoken.newest}"
        )
    return newest


def accept_terms(welcome: Welcome, settings: SessionSettings) -> Terms:
    """Return what the target chose, after a check that this source had offered it.

    Raises:
        VersionUnsupported: The version is none of those offered.
        FrameUnexpected: So is a capability.
    """
    if not SPOKEN.oldest <= welcome.version <= SPOKEN.newest:
        raise VersionUnsupported(
            f"The target chose protocol version {welcome.version}, this source offered "
            f"{SPOKEN.oldest} to {SPOKEN.newest}"
        )
    # As plain integers: the complement of a flag knows no bits but those with a name.
    if unknown := welcome.capabilities & ~int(capabilities_of(settings)):
        raise FrameUnexpected(f"The target chose capabilities that were not offered: {unknown:#x}")
    return Terms(welcome.version, welcome.capabilities)
