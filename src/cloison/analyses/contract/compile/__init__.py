"""From a contract to policies: what it wants let through, written as allowlists."""
