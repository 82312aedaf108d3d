"""Write the JSON Schemas that ship: of documents, contracts, settings files and DNS tables.

Run from the top of the checkout: python tools/make_report_schemas.py
"""

import json
from pathlib import Path

from cloison.analyses import testschema
from cloison.app import dnstable, settingsfile
from cloison.intent import schema as contractschema
from cloison.report.schema import schemas

PACKAGE = Path(__file__).parent.parent / "src" / "cloison"

if __name__ == "__main__":
    written = {PACKAGE / "report" / "schemas" / f"{k}.json": v for k, v in schemas().items()}
    written[PACKAGE / "report" / "schemas" / "tests.json"] = testschema.schema()
    written[PACKAGE / "report" / "schemas" / "contract.json"] = contractschema.schema()
    written[PACKAGE / "app" / "schemas" / "settings.json"] = settingsfile.schema()
    written[PACKAGE / "app" / "schemas" / "dns-table.json"] = dnstable.schema()
    for path, schema in written.items():
        text = json.dumps(schema, indent=2, ensure_ascii=False)
        path.write_text(f"{text}\n", encoding="utf-8")
