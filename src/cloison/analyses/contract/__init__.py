"""The contract read against a cluster: whom its entries mean, and what must never be permitted."""
