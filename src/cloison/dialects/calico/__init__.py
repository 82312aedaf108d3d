"""Calico's own policy kinds, and the objects they are about."""
