"""A contract drafted from what there is: manifests, policies, and flows that were seen."""
