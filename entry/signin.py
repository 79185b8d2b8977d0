"""Signing in and out, choosing a role and a language. Signing in writes nothing to the person's record."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import check_for_language
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from entry.errors import forbidden
from entry.kept import kept_of, safe_next, unpack
from trial.access import ROLES, Act, Actor, Forbidden, require
from trial.models import Person
from trial.people import actor_for, roles_of
from trial.text import T

View = Callable[..., HttpResponse]
WRONG = T(
    "User name and password do not match. Check both; capital letters count in the password.",
    "用户名与密码不匹配。请核对;密码区分大小写。",
)
NO_ROLE = T(
    "Your account has no role at any site today. Ask the study administrator to delegate one.",
    "您的账户今天没有任何中心的角色授权。请联系研究管理员授权。",
)
LOCKED_OUT = T(
    "Five sign-ins with this user name have failed. Wait 15 minutes and try again, or ask the study administrator.",
    "该用户名已连续五次登录失败。请等待 15 分钟后重试,或联系研究管理员。",
)


class PersonBackend(BaseBackend):
    """Checks a person's password (Argon2) and leaves the person's record as it is."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: Any
    ) -> Person | None:
        """The active person with this name and password. An unknown name costs the same time as a wrong password."""
        if not username or password is None:
            return None
        person = Person.objects.filter(username=username, is_active=True, is_system=False).first()
        if person is None:
            make_password(password)
            return None
        return person if check_password(password, person.password) else None

    def get_user(self, user_id: int) -> Person | None:
        """The person of a session, as long as the account is active."""
        return Person.objects.filter(pk=user_id, is_active=True).first()


def signed_in(act: Act | None = Act.READ) -> Callable[[View], View]:
    """A page for whom the access table gives `act` (None: for everybody with a role).

    Answers sent after the session ended are kept over the sign-in.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            actor: Actor | None = request.actor  # type: ignore[attr-defined]
            if actor is None:
                return _ask_to_sign_in(request)
            try:
                if act is not None:
                    require(actor, act)
                return view(request, *args, **kwargs)
            except Forbidden as refused:
                return forbidden(request, refused)

        return asked

    return decorate


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401)
    if request.method == "POST":
        return _login_page(request, next_=request.path, kept=kept_of(request), status=401)
    return redirect(f"{settings.LOGIN_URL}?{urlencode({'next': request.get_full_path()})}")


def _login_page(
    request: HttpRequest, *, next_: str, kept: str = "", error: str = "", status: int = 200
) -> HttpResponse:
    typed = request.POST.get("username", "") if request.path == settings.LOGIN_URL else ""
    values = {"next": next_, "kept": kept, "error": error, "username": typed}
    return render(request, "entry/login.html", values, status=status)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page; afterwards back to where one was, with the answers one had sent."""
    next_ = safe_next(request, request.POST.get("next") or request.GET.get("next"))
    if request.method == "GET":
        return redirect(next_) if request.actor else _login_page(request, next_=next_)  # type: ignore[attr-defined]
    kept = request.POST.get("kept", "")
    name, password = request.POST.get("username", "").strip(), request.POST.get("password", "")
    person = authenticate(request, username=name, password=password)
    if not isinstance(person, Person):
        return _login_page(request, next_=next_, kept=kept, error=WRONG, status=401)
    actor = actor_for(person)
    if actor is None:
        return _login_page(request, next_=next_, kept=kept, error=NO_ROLE, status=403)
    return _welcome(request, person, actor, next_, kept)


def _welcome(request: HttpRequest, person: Person, actor: Actor, next_: str, kept: str) -> HttpResponse:
    login(request, person, backend="entry.signin.PersonBackend")
    request.actor = actor  # type: ignore[attr-defined]
    packet = unpack(kept) if kept else None
    if packet is not None:
        path, pairs = packet
        response = render(request, "entry/kept.html", {"path": path, "pairs": pairs})
    else:
        response = redirect(_home(actor) if next_ == "/" else next_)
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        _speak(response, person.language)
    return response


def _home(actor: Actor) -> str:
    """Where a role's day starts: the subjects, or the review site for those who read no data here."""
    return "/subjects" if actor.may(Act.READ) else "/admin/"


def locked_out(request: HttpRequest, original_response: Any = None, credentials: Any = None) -> HttpResponse:
    """The answer after too many wrong passwords: what happened, and what to do."""
    next_ = safe_next(request, request.POST.get("next"))
    return _login_page(request, next_=next_, kept=request.POST.get("kept", ""), error=LOCKED_OUT, status=429)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect(settings.LOGIN_URL)


@require_POST
def choose_role(request: HttpRequest) -> HttpResponse:
    """Act in another of one's delegated roles from now on."""
    if request.actor is None:  # type: ignore[attr-defined]
        return _ask_to_sign_in(request)
    role = request.POST.get("role", "")
    if role in ROLES and role in roles_of(request.user):  # type: ignore[arg-type]
        request.session["role"] = role
    return redirect("/subjects" if Act.READ in ROLES.get(role, ROLES["system_admin"]).acts else "/admin/")


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Speak another language from now on, and stay where one is."""
    response = redirect(safe_next(request, request.POST.get("next")))
    return _speak(response, request.POST.get("language", ""))


def _speak(response: HttpResponse, code: str) -> HttpResponse:
    if code in dict(settings.LANGUAGES) and check_for_language(code):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            code,
            max_age=365 * 24 * 3600,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
        )
    return response
