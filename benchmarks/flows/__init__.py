"""Flows to edges: the expressions beside DuckDB SQL written by hand."""
