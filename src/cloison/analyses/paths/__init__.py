"""The real path of a connection: its hops, each a question to the engine."""
