"""A client of the REST API that repeats what was not acknowledged and remembers what was. Standard library only."""

import http.client
import json
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

PATIENCE = 10.0
AGAIN = (0, 503)


class Unexpected(Exception):
    """An answer that no outage explains."""


@dataclass
class Answer:
    """One answer; status 0 when the line was cut before one came."""

    status: int
    version: int
    body: Any


class Client:
    """One line to the server, kept open while it lasts; for one thread."""

    def __init__(self, port: int, token: str) -> None:
        """Nothing is sent yet."""
        self.port, self.token = port, token
        self.line: http.client.HTTPConnection | None = None
        self.requests: list[dict[str, Any]] = []
        self.acknowledged: list[dict[str, Any]] = []
        self.over = threading.Event()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request, one try."""
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        began = time.monotonic()
        answer = self._try(method, path, json.dumps(body) if body is not None else None, sent)
        took = time.monotonic() - began
        self.requests.append({"method": method, "status": answer.status, "seconds": took, "at": time.time()})
        return answer

    def _try(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        try:
            if self.line is None:
                self.line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            self.line.request(method, path, body, headers)
            response = self.line.getresponse()
            text = response.read()
            tag = (response.getheader("ETag") or "").strip('"')
            return Answer(
                response.status, int(tag) if tag.isdigit() else 0, json.loads(text) if text else None
            )
        except (OSError, http.client.HTTPException, ValueError):
            if self.line is not None:
                self.line.close()
            self.line = None
            return Answer(0, 0, None)

    def _until_answered(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[Answer, bool]:
        """Repeat until the server says something definite. Also tells whether an earlier try got no answer."""
        repeated = False
        for _ in range(600):
            answer = self.send(method, path, body, **headers)
            if answer.status not in AGAIN:
                return answer, repeated
            repeated = True
            time.sleep(0.1)
        raise Unexpected(f"{method} {path}: no answer in 600 tries")

    def get(self, path: str) -> Answer:
        """Read, patiently."""
        return self._until_answered("GET", path)[0]

    def enter(self, form: str, answers: dict[str, Any]) -> str:
        """A new record under an Idempotency-Key of its own; its id once acknowledged."""
        return str(self._post(f"/api/v1/forms/{form}/", form, answers)["id"])

    def enrol(self, subjid: str, site: str) -> str:
        """A new subject."""
        return str(self._post("/api/v1/subjects/", "", {"subjid": subjid, "site": site})["id"])

    def _post(self, path: str, form: str, body: dict[str, Any]) -> Any:
        answer, _ = self._until_answered("POST", path, body, Idempotency_Key=uuid.uuid4().hex)
        if answer.status not in (200, 201):
            raise Unexpected(f"POST {path}: {answer.status} {answer.body}")
        self._remember(form, answer, body, 1)
        return answer.body

    def correct(self, form: str, key: str, seen: int, answers: dict[str, Any]) -> int | None:
        """Change what was seen at `seen`; the new version, or None when somebody else was first."""
        path = f"/api/v1/forms/{form}/{key}/"
        answer, repeated = self._until_answered(
            "PATCH", path, {**answers, "reason": "transcription error"}, If_Match=f'"{seen}"'
        )
        return self._changed("PATCH", form, key, seen, answer, answers, repeated)

    def retract(self, form: str, key: str, seen: int) -> int | None:
        """Strike a record out."""
        path = f"/api/v1/forms/{form}/{key}/"
        answer, repeated = self._until_answered(
            "DELETE", path, {"reason": "wrong subject"}, If_Match=f'"{seen}"'
        )
        return self._changed("DELETE", form, key, seen, answer, {"retracted": True}, repeated)

    def _changed(
        self,
        method: str,
        form: str,
        key: str,
        seen: int,
        answer: Answer,
        wanted: dict[str, Any],
        repeated: bool,
    ) -> int | None:
        """An acknowledged change; or the change of a try that was cut off, found when it was repeated."""
        if answer.status == 200:
            self._remember(form, answer, wanted, min(seen + 1, answer.version))
            return answer.version
        if answer.status != 412:
            raise Unexpected(f"{method} {form} {key}: {answer.status} {answer.body}")
        if not repeated:
            return None
        there = self.get(f"/api/v1/forms/{form}/{key}/")
        ours = there.version == seen + 1 and all(_alike(there.body[k], v) for k, v in wanted.items())
        return there.version if ours else None

    def _remember(self, form: str, answer: Answer, sent: dict[str, Any], made: int) -> None:
        """`made` is the version that holds what was sent; the answer may already show a later one, of somebody else."""
        if form:
            save = {
                "form": form,
                "id": answer.body["id"],
                "version": answer.version,
                "made": made,
                "sent": sent,
            }
            self.acknowledged.append(save)


def _alike(stored: Any, sent: Any) -> bool:
    """Whether an answer reads back as it was sent; a moment may come back in another zone."""
    if isinstance(sent, str) and "T" in sent:
        return datetime.fromisoformat(str(stored)) == datetime.fromisoformat(sent)
    return bool(stored == sent)
