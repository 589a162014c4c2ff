"""The protections that can be compared: the engine in simulation."""
