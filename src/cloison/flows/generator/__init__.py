"""Made-up traffic that is the same every time: for tests, demonstrations and benchmarks.

What really happened is known of it, so what is read back, attributed and concluded can be held
against the truth.
"""
