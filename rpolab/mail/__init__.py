"""Where the mail of a run comes from, and what its users do."""
