"""Pure functions on frames and snapshots: what the numbers mean together."""
