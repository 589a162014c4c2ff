"""The source side in the kernel: every completed change becomes a record, in one order."""
