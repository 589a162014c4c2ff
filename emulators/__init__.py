"""The systems around the engine: Exchange's database engine, its store, and VSS."""
