"""The lab: what a kernel makes of packets."""
