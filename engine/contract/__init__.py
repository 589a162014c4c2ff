"""What the engine and its drivers agree on: events in, actions out, how storage is read."""
