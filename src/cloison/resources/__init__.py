"""Typed Kubernetes objects as read, with spans, and the World they add up to."""
