"""Regular expressions of RE2 and Go: read, made into automata, and written again."""

from cloison.algebra.regex.build import accepts, build
from cloison.algebra.regex.faults import PatternError
from cloison.algebra.regex.parse import parse
from cloison.algebra.regex.syntax import literal
from cloison.algebra.regex.write import write

__all__ = ["PatternError", "accepts", "build", "literal", "parse", "write"]
