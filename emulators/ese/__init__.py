"""The Extensible Storage Engine of Exchange 2003 and 2007.

    tools/       eseutil: its modes, what they print, and how they end
    running/     a mounted storage group: log writer, page flusher, header, freeze
    recovery/    databases that are not mounted: soft recovery, opening
    maintenance/ databases made anew: defragmentation, repair
    integrity/   the structural checker, which reads pages by itself
    trees/       a database as trees of cached pages, and changes that are logged
    formats/     everything on disk as bytes and back

Imports go downwards; running and recovery do not know each other, nor integrity the trees.
"""
