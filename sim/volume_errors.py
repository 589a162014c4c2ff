"""What can go wrong with an operation on a volume."""

__all__ = [
    "DiskFull",
    "FileExists",
    "FileMissing",
    "InputOutputError",
    "VolumeError",
    "VolumeHeld",
    "VolumeLost",
]


class VolumeError(OSError):
    """An operation on a volume failed; the volume is as it was before."""


class DiskFull(VolumeError):  # noqa: N818 - named for what happened
    """The volume has no room; nothing was written."""

    def __init__(self, volume: str, file: str, needed_bytes: int, free_bytes: int) -> None:
        super().__init__(
            f"{volume}: {file} needs {needed_bytes} bytes more and {free_bytes} are free. "
            f"Hint: give the volume more capacity, or remove files (logs are removed by a backup)."
        )
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes


class FileMissing(VolumeError):  # noqa: N818 - named for what happened
    """There is no file of that name."""

    def __init__(self, volume: str, file: str) -> None:
        super().__init__(
            f"{volume}: there is no file {file}. "
            f"Hint: it was never created, was renamed or deleted, or its creation was lost."
        )
        self.file = file


class FileExists(VolumeError):  # noqa: N818 - named for what happened
    """There is a file of that name already; it was not replaced."""

    def __init__(self, volume: str, file: str) -> None:
        super().__init__(
            f"{volume}: there is a file {file} already, and nothing is replaced. "
            f"Hint: delete or rename it first."
        )
        self.file = file


class VolumeLost(VolumeError):  # noqa: N818 - named for what happened
    """The volume and its contents are gone."""

    def __init__(self, volume: str) -> None:
        super().__init__(
            f"{volume}: the volume and its contents are gone. "
            f"Hint: recover from a copy at another site."
        )


class InputOutputError(VolumeLost):
    """The disk answered that it cannot: who uses it is as badly off as without the volume."""

    def __init__(self, volume: str, file: str, what: str) -> None:
        OSError.__init__(
            self,
            f"{volume}: the {what} of {file} failed with an I/O error. "
            f"Hint: look at the disk's own log; replace it, and recover what it held.",
        )


class VolumeHeld(VolumeError):  # noqa: N818 - named for what happened
    """The volume's writes are held already, and by one holder at a time."""

    def __init__(self, volume: str) -> None:
        super().__init__(
            f"{volume}: its writes are held already. "
            f"Hint: another shadow copy set is in progress; release it or wait."
        )
