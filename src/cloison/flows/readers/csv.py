"""Tables with commas between columns."""

from cloison.flows.reader import Reader
from cloison.flows.readers.table import opened, suits

READER = Reader(
    "csv",
    "CSV with a header",
    lambda head: suits(head, ","),
    lambda head, options: opened(head, options, ","),
    "RFC 4180; columns in docs/reference/flows.md",
)
