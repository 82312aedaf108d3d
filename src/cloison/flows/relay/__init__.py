"""Flows as they happen, from Cilium's Hubble Relay. Needs the extra `relay`."""

from cloison.flows.relay.client import Line, Relay, Tls, Wanted, stream

__all__ = ["Line", "Relay", "Tls", "Wanted", "stream"]
