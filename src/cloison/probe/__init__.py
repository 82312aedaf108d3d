"""What runs a matrix of connectivity tests: the engine, a kernel; later a live cluster.

Nothing is imported from here: a lab's process starts in a fraction of the time without the engine.
"""
