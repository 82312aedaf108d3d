"""Tables with tabs between columns."""

from cloison.flows.reader import Reader
from cloison.flows.readers.table import opened, suits

READER = Reader(
    "tsv",
    "TSV with a header",
    lambda head: suits(head, "\t"),
    lambda head, options: opened(head, options, "\t"),
    "columns in docs/reference/flows.md",
)
