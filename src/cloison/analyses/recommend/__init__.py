"""Policies that flows, manifests and the contract together speak for, and the proof of them."""
