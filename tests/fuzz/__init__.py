"""Hostile input: every reader, fed with what nobody would write on purpose."""
