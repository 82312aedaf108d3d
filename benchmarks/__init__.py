"""How fast Cloison is, beside others, on worlds shaped like real clusters."""
