"""AdminNetworkPolicy, BaselineAdminNetworkPolicy and ClusterNetworkPolicy."""
