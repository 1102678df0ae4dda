"""Use cases. They take a unit of work (or, where they span several, what opens one) and ports; they never commit."""
