"""The shared memory of the house; the only room with SQL."""
