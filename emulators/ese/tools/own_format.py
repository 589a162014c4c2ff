"""Which format a tool works with that must know more than headers and checksums."""

from emulators.ese.errors import ese_error
from emulators.ese.file_set import FileSet
from emulators.ese.formats.detection import detect_database
from emulators.ese.formats.format import FORMATS, Format


def own_format(files: FileSet, name: str, stated: Format | None = None) -> Format:
    """Return the format of a database, which must be one of `FORMATS`.

    Args:
        files: where it lies.
        name: the file.
        stated: what is expected; None for what the file says.

    Raises:
        EseError: -1213 for a database of another ESE, of which only header and checksums are
            understood, -1206 when header and shadow are damaged.
    """
    found = stated or detect_database(files, name)
    if found not in FORMATS:
        hint = "use a tool of the product that wrote it; /mh and /k can be used here"
        raise ese_error(-1213, f"{name}: {found.name}", hint)
    return found
