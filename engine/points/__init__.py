"""Which moments can be recovered, and which cannot."""
