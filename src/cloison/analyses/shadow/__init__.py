"""What a candidate would have done to the connections that were recorded."""
