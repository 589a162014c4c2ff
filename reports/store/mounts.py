"""Whether a folder lies on another machine.

SQLite's write-ahead log needs memory that all its readers and writers share, which two machines
have not. On a network file system the store therefore uses SQLite's rollback journal, and is then
as good as that file system's locks: several processes of one machine are fine, several machines
are not promised. A team shares a store through PostgreSQL.
"""

from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    {"9p", "afs", "ceph", "cifs", "davfs", "fuse.sshfs", "glusterfs", "lustre", "ncpfs", "nfs"}
    | {"nfs4", "smb3", "smbfs", "virtiofs"}
)


def is_on_network(folder: Path, mounts: Path = MOUNTS) -> bool:
    """Whether a folder is on a network file system; False where the system does not say."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return _file_system(folder.resolve(), lines) in _NETWORK


def _file_system(folder: Path, lines: list[str]) -> str:
    """The type of the innermost mount above a folder; the last one covers those before it."""
    best, found = -1, ""
    for line in lines:
        fields, _, rest = line.partition(" - ")
        words = fields.split()
        if len(words) < 5 or not rest:
            continue
        mount = Path(words[4].encode().decode("unicode_escape"))
        depth = len(mount.parts)
        if depth >= best and folder.is_relative_to(mount):
            best, found = depth, rest.split()[0]
    return found
