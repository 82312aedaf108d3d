"""Files, directories, revisions and standard input, read as located documents.

Input is hostile until read: nothing in it is executed, memory and time stay bounded, and whatever
is wrong with one document becomes a diagnostic of the family SRC (`faults` has them all) without
costing any other document.
"""

from cloison.sources.inputs import Rendering
from cloison.sources.plain import objects
from cloison.sources.progress import Progress
from cloison.sources.reader import read

__all__ = ["Progress", "Rendering", "objects", "read"]
