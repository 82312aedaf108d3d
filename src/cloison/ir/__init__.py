"""The policy IR: what is declared, what it becomes in a world, how far it can be trusted."""
