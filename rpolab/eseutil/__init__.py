"""What stands behind `rpolab eseutil` beside the emulated tools."""
