"""What writing policy in any dialect takes: statements to write, documents that come of them.

A writer gets the meaning of objects and their text, and returns documents as trees of plain
values whose parts remember which part of the source they say; rendering puts the comments
that stood there where the part stands now.
"""

from cloison.dialects.writing.places import Refusals, place_of, written_at
from cloison.dialects.writing.render import Comments, plain, rendered
from cloison.dialects.writing.statement import (
    Manifest,
    Statement,
    WriteContext,
    Writer,
    Written,
    object_name,
)
from cloison.dialects.writing.tree import At, Tree, header, metadata

__all__ = [
    "At",
    "Comments",
    "Manifest",
    "Refusals",
    "Statement",
    "Tree",
    "WriteContext",
    "Writer",
    "Written",
    "header",
    "metadata",
    "object_name",
    "place_of",
    "plain",
    "rendered",
    "written_at",
]
