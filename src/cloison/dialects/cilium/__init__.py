"""Cilium's policies: CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy and what they refer to."""
