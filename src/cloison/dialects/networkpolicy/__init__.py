"""`networking.k8s.io/v1` NetworkPolicy: read, judged, compiled, written."""
