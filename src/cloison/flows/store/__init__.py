"""Where records are kept: Parquet files by source and hour, and one small file that says which.

A store is a directory. Parts are only ever added; `manifest.json` names those that belong to it,
and how far each input was read. It is replaced in one step, so a run that is killed leaves either
all of what it did since the last step or none of it; what it left lying about is swept later.
"""
