"""How good recommended policies are: public applications, several cut-offs, held-out weeks."""
