"""The engine on a real machine: drivers that carry its actions out.

The journal's directory is here. A driver of connections is not, yet; where it will stand, and
where encryption and authentication will, is fixed by what the sessions leave open:

* A session names a connection by a number and knows nothing else of it. OpenConnection, SendBytes
  and CloseConnection are carried out on a stream of bytes in order, once, or not at all; Connected,
  BytesReceived and Disconnected tell what came of it. TLS over TCP is such a stream, with nothing
  to be changed above it.
* Who the other end is must be settled before Connected is given: a driver that cannot name its
  peer gives no event at all. What the sessions check themselves (group, epoch, incarnation, chain)
  keeps honest ends from mistakes; it is no proof of identity.
* A stream's end is believed as little as its beginning: an acknowledgement counts, a close does
  not. So a truncated TLS stream is a lost connection like any other.
"""

from engine.live.authority import FileAuthority
from engine.live.directory import JournalDirectory
from engine.live.volume import VolumeDirectory

__all__ = ["FileAuthority", "JournalDirectory", "VolumeDirectory"]
