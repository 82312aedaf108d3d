"""Questions and their answers: composed from the engine, never computed a second time."""
