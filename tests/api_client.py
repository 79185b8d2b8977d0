"""A program that uses the API: a token, JSON with exact numbers, and nothing else."""

import json
from decimal import Decimal
from typing import Any

from django.test import Client

ROOT = "/api/v1/"


class Api:
    """Requests with one token. Bodies may be given as JSON text, to send exactly that."""

    def __init__(self, token: str = "", language: str = "en") -> None:
        headers = {"Accept-Language": language, **({"Authorization": f"Bearer {token}"} if token else {})}
        self.client = Client(headers=headers)

    def get(self, address: str, **headers: str) -> Any:
        """GET."""
        return self.client.get(_full(address), headers=_names(headers))

    def send(self, method: str, address: str, body: Any = None, **headers: str) -> Any:
        """Any method with a JSON body; header names have underscores for dashes."""
        text = body if isinstance(body, str | bytes) else json.dumps(body, ensure_ascii=False)
        kind = headers.pop("content_type", "application/json")
        return self.client.generic(
            method,
            _full(address),
            data=text if body is not None else "",
            content_type=kind,
            headers=_names(headers),
        )

    def post(self, address: str, body: Any = None, **headers: str) -> Any:
        """POST."""
        return self.send("POST", address, body, **headers)

    def patch(self, address: str, body: Any = None, seen: int | None = None, **headers: str) -> Any:
        """PATCH, having seen a version."""
        return self.send("PATCH", address, body, **_seen(seen), **headers)

    def put(self, address: str, body: Any = None, seen: int | None = None, **headers: str) -> Any:
        """PUT, having seen a version."""
        return self.send("PUT", address, body, **_seen(seen), **headers)

    def delete(self, address: str, body: Any = None, seen: int | None = None, **headers: str) -> Any:
        """DELETE, having seen a version."""
        return self.send("DELETE", address, body, **_seen(seen), **headers)


def _full(address: str) -> str:
    return address if address.startswith("/") else ROOT + address


def _names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _seen(version: int | None) -> dict[str, str]:
    return {} if version is None else {"If_Match": f'"{version}"'}


def exact(response: Any) -> Any:
    """The body with every number as it was written: 1.50 is Decimal("1.50")."""
    return json.loads(text(response), parse_float=Decimal)


def text(response: Any) -> str:
    """The body as text, streamed or not."""
    raw: bytes = b"".join(response.streaming_content) if response.streaming else response.content
    return raw.decode()


def problem(response: Any, status: int, kind: str = "") -> Any:
    """The problem document of a refusal, after asking that it is one."""
    assert response.status_code == status, (response.status_code, text(response)[:500])
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "no-store"
    document = json.loads(response.content)
    assert document["status"] == status
    assert {"type", "title", "detail", "instance"} <= set(document)
    if kind:
        assert document["type"].endswith(f"#{kind}"), document
    return document


def codes(document: Any) -> set[str]:
    """The codes of a problem's errors."""
    return {error["code"] for error in document.get("errors", [])}
