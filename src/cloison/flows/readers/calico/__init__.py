"""What Calico's sources of flows have in common: ends by aggregated names, policies that hit."""
