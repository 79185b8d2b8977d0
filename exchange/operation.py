"""How an address describes itself in the OpenAPI document: each view says its operations, this writes them down."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from drf_spectacular.openapi import AutoSchema

Schema = dict[str, Any]
PROBLEM: Schema = {"$ref": "#/components/responses/Problem"}
HEADERS: dict[str, tuple[bool, str]] = {
    "If-Match": (True, 'The ETag of the version you saw, for example "3". / 您所见版本的 ETag,例如 "3"。'),
    "Idempotency-Key": (
        False,
        "Re-sent with the same key and body, a request creates nothing twice. / 相同键和内容重发不会重复创建。",
    ),
    "X-Reason": (
        False,
        "Why the value changes (or “reason” in the body). / 修改原因(或在请求体中用 reason)。",
    ),
}
_REFUSALS: dict[str, tuple[str, ...]] = {
    "get": ("400", "401", "403", "404", "429", "503"),
    "post": ("400", "401", "403", "404", "409", "413", "415", "422", "429", "503"),
    "put": ("400", "401", "403", "404", "409", "412", "413", "415", "423", "428", "429", "503"),
}


@dataclass(frozen=True)
class Op:
    """One method of an address: what it does in both languages, what it takes, what it answers."""

    en: str
    zh: str
    answer: Schema | Callable[[Any], Schema] = field(default_factory=dict)
    body: Schema | Callable[[Any], Schema] | None = None
    status: int = 200
    headers: tuple[str, ...] = ()
    formats: bool = False
    takes: tuple[str, ...] = ("application/json",)


class Described(AutoSchema):
    """Writes an operation from the view's `ops`, `tag` and `params`."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any
    ) -> Schema | None:
        """The operation object, None for a view or method that describes nothing."""
        op: Op | None = getattr(self.view, "ops", {}).get(method.upper())
        if op is None:
            return None
        verb = method.lower()
        name = re.sub(r"\W+", "_", path.removeprefix("/api/v1")).strip("_")
        operation: Schema = {
            "operationId": f"{name}_{verb}",
            "summary": f"{op.en} / {op.zh}",
            "tags": [getattr(self.view, "tag", "")],
            "security": [{"bearer": []}],
            "parameters": [*_path(path), *_query(self.view, method), *map(_header, op.headers)],
            "responses": {str(op.status): _answer(op, self.view), **_refusals(verb, op.headers)},
        }
        if op.status == 201:
            operation["responses"]["200"] = operation["responses"]["201"]
        if op.body is not None:
            schema = op.body(self.view) if callable(op.body) else op.body
            operation["requestBody"] = {
                "required": verb != "delete",
                "content": {kind: {"schema": schema} for kind in op.takes},
            }
        return operation


def _answer(op: Op, view: Any) -> Schema:
    schema = op.answer(view) if callable(op.answer) else op.answer
    content: Schema = {"application/json": {"schema": schema}}
    if op.formats:
        content["text/csv"] = {"schema": {"type": "string"}}
        content["application/x-ndjson"] = {"schema": {"type": "string"}}
    return {"description": op.en, "content": content}


def _refusals(verb: str, headers: tuple[str, ...]) -> Schema:
    stale = ("412", "428") if "If-Match" in headers else ()
    return dict.fromkeys(sorted({*_REFUSALS.get(verb, _REFUSALS["put"]), *stale}), PROBLEM)


def _path(path: str) -> list[Schema]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query(view: Any, method: str) -> list[Schema]:
    return [
        {
            "name": p.name,
            "in": "query",
            "required": False,
            "schema": p.schema,
            "description": f"{p.en} / {p.zh}",
        }
        for p in view.params.get(method.upper(), ())
    ]


def _header(name: str) -> Schema:
    required, text = HEADERS[name]
    return {
        "name": name,
        "in": "header",
        "required": required,
        "schema": {"type": "string"},
        "description": text,
    }
