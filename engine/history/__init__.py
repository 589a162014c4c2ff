"""What a stream of records says, in order: which may follow, files and names, the index."""
