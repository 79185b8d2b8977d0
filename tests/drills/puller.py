"""A downstream system: pulls the change feed and appends each page with its cursor to a file, one line a page.

A line that a kill tore is dropped at the next start, and pulling goes on from the cursor of the last whole one.
"""

import json
import os
import sys
import time
from pathlib import Path

from tests.drills.client import Client


def last_cursor(file: Path) -> str:
    """The cursor of the last whole line; what follows it is cut off."""
    kept = file.read_bytes() if file.exists() else b""
    whole = kept[: kept.rfind(b"\n") + 1]
    file.write_bytes(whole)
    return json.loads(whole.splitlines()[-1])["next"] if whole else ""


def main() -> None:
    """Pull for ever."""
    file = Path(sys.argv[1])
    client, cursor = Client(int(os.environ["DRILL_PORT"]), os.environ["DRILL_TOKEN"]), last_cursor(file)
    with file.open("a") as out:
        while True:
            answer = client.get(f"/api/v1/changes/?limit=50{'&cursor=' + cursor if cursor else ''}")
            changes = [[c["form"], c["id"], c["version"]] for c in answer.body["changes"]]
            cursor = answer.body["next"]
            if changes:
                out.write(json.dumps({"changes": changes, "next": cursor}) + "\n")
                out.flush()
            if not answer.body["more"]:
                time.sleep(0.02)


if __name__ == "__main__":
    main()
