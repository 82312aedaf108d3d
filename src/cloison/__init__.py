"""Cloison: segment a Kubernetes cluster, and prove it."""
