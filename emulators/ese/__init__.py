"""The Extensible Storage Engine of Exchange 2007.

    tools/     the texts of eseutil
    running/   a mounted storage group: log writer, page flusher, header, freeze
    recovery/  databases that are not mounted: soft recovery, opening
    trees/     a database as trees of cached pages, and changes that are logged
    formats/   everything on disk as bytes and back

Imports go downwards; running and recovery do not know each other.
"""
