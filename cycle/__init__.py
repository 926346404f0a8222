"""The parts of a cycle: asking the sources, computing what follows, and what runs beside it."""
