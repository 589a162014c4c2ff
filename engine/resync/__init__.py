"""The resync: both ends are compared by hashes, and what differs is sent."""
