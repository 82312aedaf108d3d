"""From models back to objects as text, for what must come back as it was.

Fields come in the order the API reference lists them, and what is absent stays absent.
"""
