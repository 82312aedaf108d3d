"""What happened: flow records of any source as columns of one schema, and questions about them.

Nothing outside `flows.readers` knows a vendor's format. Needs the extra `flows`.
"""
