"""What has drifted: policies, flows and the cluster held against what was so, and what is meant."""
