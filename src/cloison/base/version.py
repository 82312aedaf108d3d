"""The version, where reading it costs nothing."""

VERSION = "0.1.0"
"""The same as in pyproject.toml; a test holds the two together."""
