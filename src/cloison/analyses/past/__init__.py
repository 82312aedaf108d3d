"""What was observed over time: every edge hour by hour, and the hours in which anybody watched."""
