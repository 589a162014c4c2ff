"""Opening a database for reading, as a mount does, after recovery has made it clean."""

from emulators.ese.errors import ese_error
from emulators.ese.file_set import FileSet
from emulators.ese.formats.format import EXCHANGE_2007, Format
from emulators.ese.recovery.offline_database import OfflineDatabase
from emulators.ese.trees.database import Database


def open_database(files: FileSet, name: str, file_format: Format = EXCHANGE_2007) -> Database:
    """Open a database to read its tables.

    Raises:
        EseError: -550 when it was not shut down cleanly, -1018 or -1206 when it is damaged.
    """
    offline = OfflineDatabase(files, name, file_format)
    if not offline.header.is_clean:
        hint = "run soft recovery (eseutil /r) first"
        raise ese_error(-550, f"{name}: its state is {offline.header.state.name}", hint)
    return Database(offline.cache)
