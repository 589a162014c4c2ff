"""The Extensible Storage Engine: formats, a storage group at run time, recovery, tools."""
