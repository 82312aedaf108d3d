"""What may come in the way of a measurement."""


class DisagreementError(Exception):
    """Two that must give one answer do not."""


class NotSupportedError(Exception):
    """A baseline does not know what a world has."""
