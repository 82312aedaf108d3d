"""Where expressions run: DuckDB here by default, or an engine that a user already has."""
