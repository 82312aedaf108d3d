"""What pages without a script have in common: how they begin, and what they may do."""

import base64
import hashlib
from html import escape

from cloison.report.xml import legal


def opening(title: str, heading: str, style: str) -> str:
    """Return a page up to its heading; it may wear its style, and nothing else.

    Args:
        title: What a browser calls it.
        heading: What it begins with.
        style: Its style sheet.
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{shown(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f"<h1>{shown(heading)}</h1>\n"
    )


def shown(text: str) -> str:
    """Return text as a page may hold it."""
    return escape(legal(text))
