"""The specification, one statement per case, and the runner that holds Cloison to it."""
