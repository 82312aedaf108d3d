"""Laws, and the engine against the oracles."""
