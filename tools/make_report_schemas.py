"""Write `src/cloison/report/schemas/` from the types of the published documents.

Run from the top of the checkout: python tools/make_report_schemas.py
"""

import json
from pathlib import Path

from cloison.report.schema import schemas

TARGET = Path(__file__).parent.parent / "src" / "cloison" / "report" / "schemas"

if __name__ == "__main__":
    for kind, schema in schemas().items():
        text = json.dumps(schema, indent=2, ensure_ascii=False)
        (TARGET / f"{kind}.json").write_text(f"{text}\n", encoding="utf-8")
