"""A laboratory: the workloads of a world as network namespaces, and a kernel that enforces."""
