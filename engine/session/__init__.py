"""How a source and a target carry the stream over a connection, exactly once."""
