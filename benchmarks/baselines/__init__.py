"""What else answers the same questions, to be measured beside Cloison."""
