"""How much of what an application really calls `contract init` finds, and how much else."""
