"""Tests of the dialect of the Network Policy API."""
