"""Bearer tokens: minted once, checked on every request against the person's delegation of that day."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from exchange.models import ApiToken
from trial.access import Actor
from trial.dates import utc_now
from trial.models import Person, Site
from trial.people import actor_for, roles_of
from trial.text import T

SCHEMES = ("bearer", "token")
MOST_DAYS = 366


class CannotMint(ValueError):
    """The person does not hold the role, the sites are not in it, or the life is too long."""


def mint(
    person: Person,
    role: str | None = None,
    *,
    expiry: timedelta = timedelta(days=30),
    sites: Iterable[int] | None = None,
    label: str = "",
) -> str:
    """A new token in a role delegated to the person; the text is shown once and never kept. `sites` are site ids."""
    actor = actor_for(person, role)
    if actor is None or (role is not None and actor.role != role):
        held = ", ".join(roles_of(person)) or "none"
        raise CannotMint(f"{person.username} does not hold the role {role or ''} today (holds: {held}).")
    wanted = sorted(set(sites or ()))
    if not set(wanted) <= set(actor.sites):
        raise CannotMint(f"The role {actor.role} of {person.username} does not cover all of these sites.")
    if not timedelta(0) < expiry <= timedelta(days=MOST_DAYS):
        raise CannotMint(f"A token lives between 1 and {MOST_DAYS} days.")
    _, text = ApiToken.objects.create(
        user=person, expiry=expiry, role=actor.role, sites=wanted, label=(label or "unnamed")[:80]
    )
    return str(text)


def actor_of(token: ApiToken, request_id: str = "") -> Actor | None:
    """Who acts with this token now: the role if it is still delegated, the sites that are in both; else None."""
    actor = actor_for(token.user, token.role, request_id)
    if actor is None or actor.role != token.role:
        return None
    sites = tuple(s for s in actor.sites if not token.sites or s in token.sites)
    return replace(actor, sites=sites) if sites else None


class BearerToken(TokenAuthentication):
    """`Authorization: Bearer <token>` (or `Token <token>`). Sets request.user and request.actor."""

    def authenticate(self, request: Request) -> tuple[Person, ApiToken] | None:
        """The person and the token; None without a header. Raises AuthenticationFailed for any other token."""
        scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if not scheme:
            return None
        text = text.strip()
        if scheme.lower() not in SCHEMES or not text.isascii() or not 40 <= len(text) <= 200:
            raise _refused()
        token = _live(text, utc_now())
        actor = actor_of(token, getattr(request._request, "request_id", "")) if token else None
        if token is None or actor is None:
            raise _refused()
        request.actor = request._request.actor = actor  # type: ignore[attr-defined]
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="api"'


def _live(text: str, now: datetime) -> ApiToken | None:
    found = ApiToken.objects.select_related("user").filter(digest=hash_token(text), expiry__gt=now).first()
    return found if isinstance(found, ApiToken) else None


def _refused() -> AuthenticationFailed:
    """One answer for every reason: unknown, ended, its person deactivated, its role no longer delegated."""
    return AuthenticationFailed(
        T(
            "The token is unknown, has ended, or its role is no longer delegated. Ask for a new one.",
            "令牌无效、已过期,或其角色已不再授权。请申请新的令牌。",
        )
    )


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document names the token."""

    target_class = "exchange.tokens.BearerToken"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Plain HTTP bearer authentication."""
        return {"type": "http", "scheme": "bearer"}


def sites_by_code(codes: Iterable[str]) -> list[int]:
    """The ids of sites by their codes. Raises CannotMint for a code that does not exist."""
    wanted = list(codes)
    found = dict(Site.objects.filter(code__in=wanted).values_list("code", "id"))
    unknown = [code for code in wanted if code not in found]
    if unknown:
        raise CannotMint(f"No such site: {', '.join(unknown)}.")
    return sorted(found.values())
