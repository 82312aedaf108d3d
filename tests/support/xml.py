"""XML as tests read it."""

import xml.etree.ElementTree as ET


def read_xml(text: str) -> ET.Element:
    """Return the root of what we wrote ourselves."""
    return ET.fromstring(text)  # noqa: S314 - our own output
