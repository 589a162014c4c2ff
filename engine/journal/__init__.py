"""The records of a group on the disk of a copy: appended, sealed, opened again, read back."""
