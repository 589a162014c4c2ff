"""The emulated Exchange server: its store, and the mail that people send through it."""
