"""The sites of the replica, one module each."""
