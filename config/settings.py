"""Settings. Everything that differs between places comes from the environment:

EDC_ENV              demo (default) | test | production
EDC_PROCESS          web (default) | jobs | worker | owner: which database role this process runs as (jobs: the web's)
DATABASE_URL         runtime role of the web (edc_app); DATABASE_WORKER_URL: of the worker (edc_worker);
DATABASE_OWNER_URL   owner of the tables, for migrations only
REDIS_URL            broker and cache
EDC_FILES_DIR        private folder of the files that jobs take and make; one folder for all machines of a study
EDC_MAIL             mail server: smtp://user:password@host:25, smtp+tls:// or smtps://; none: files under var/mail
EDC_MAIL_FROM        sender of mails; EDC_URL: the address that links in mails lead to
EDC_RULES_APPLY      auto or wait (default in production): see safety.rule_set; EDC_RELEASE: name of the release
EDC_SECRET_KEY       secret key; EDC_ALLOWED_HOSTS: comma-separated host names
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF
from psycopg.conninfo import conninfo_to_dict

BASE_DIR = Path(__file__).resolve().parent.parent
ENV = os.environ.get("EDC_ENV", "demo")
PRODUCTION = ENV == "production"
PROCESS = os.environ.get("EDC_PROCESS", "web")

DEFAULT_SECRET_KEY = "demo-only-secret-key-that-production-refuses-to-start-with"
SECRET_KEY = os.environ.get("EDC_SECRET_KEY", DEFAULT_SECRET_KEY)
DEBUG = os.environ.get("EDC_DEBUG", "") == "1"
ALLOWED_HOSTS = os.environ.get("EDC_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1],testserver").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("EDC_ORIGINS", "").split(",") if o]
CSRF_FAILURE_VIEW = "entry.errors.csrf_failure"

INSTALLED_APPS = [
    "config.admin.ReviewAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "simple_history",
    "django_htmx",
    "axes",
    "knox",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "trial",
    "subjects",
    "visits",
    "dosing",
    "safety",
    "review",
    "entry",
    "exchange",
]

MIDDLEWARE = [
    "entry.middleware.request_id",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "exchange.upload_limit.upload_limit",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "entry.middleware.actor",
    "entry.middleware.storable",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "entry.context.study",
            ],
            "builtins": ["entry.templatetags.edc"],
        },
    }
]


def _database(url: str) -> dict[str, Any]:
    """Django's settings for a libpq address, sockets included."""
    parts = conninfo_to_dict(url) if url else {}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", "edc"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "") or ""),
        "CONN_MAX_AGE": 60 if PROCESS == "web" else 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **parts},
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }


DATABASE_VARIABLE = {"owner": "DATABASE_OWNER_URL", "worker": "DATABASE_WORKER_URL"}.get(
    PROCESS, "DATABASE_URL"
)
DATABASES = {"default": _database(os.environ.get(DATABASE_VARIABLE, ""))}

AUTH_USER_MODEL = "trial.Person"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "entry.signin.PersonBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login"
# What runs once subjects are evaluated, in the worker's transaction, as (subject ids, actor): the rules stand below the
# queries and may not know them, so who asks is named here.
AFTER_EVALUATION = ("review.computed.ask", "review.derived.ask")

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "entry.signin.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "edc_language"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
FORMAT_MODULE_PATH = ["config.formats"]

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if ENV == "test"
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# Tests make hundreds of clients, each with a chain of middleware of its own: static files are looked up when one is asked
# for, not all of them listed each time.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = ENV == "test"

FILES_DIR = os.environ.get(
    "EDC_FILES_DIR", str(BASE_DIR / "var" / ("test" if ENV == "test" else "") / "files")
)

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000  # a grid of 1,000 lines without JavaScript
SESSION_COOKIE_AGE = 12 * 3600
SESSION_IDLE_SECONDS = 30 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_NAME = "__Host-edc" if PRODUCTION else "edc_session"
SECURE_SSL_REDIRECT = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_DATE_INDEX = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A page must not wait for a broker that does not answer: the outbox keeps the work (see safety.doorbell).
BROKER_PATIENCE = 0.3 if PROCESS == "web" else 5.0
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": min(BROKER_PATIENCE, 1.0),
    "socket_timeout": BROKER_PATIENCE,
    "max_retries": 0,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 0}
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_TASK_ROUTES = {"exchange.tasks.*": {"queue": "jobs"}}
CELERY_BEAT_SCHEDULE = {
    "outbox": {"task": "safety.tasks.drain", "schedule": 2.0, "options": {"expires": 2}},
    "seal": {"task": "safety.tasks.seal", "schedule": 300.0, "options": {"expires": 300}},
    "jobs": {"task": "exchange.tasks.work", "schedule": 5.0, "options": {"expires": 5}},
    "expire": {"task": "exchange.tasks.expire", "schedule": 3600.0, "options": {"expires": 3600}},
    "remind": {"task": "safety.tasks.remind", "schedule": 60.0, "options": {"expires": 60}},
    "sweep": {"task": "safety.tasks.start_sweep", "schedule": 600.0, "options": {"expires": 600}},
}

# Whether rules that a release changed are put in force without a data manager: auto or wait.
RULES_APPLY = os.environ.get("EDC_RULES_APPLY", "wait" if PRODUCTION else "auto")
RELEASE = os.environ.get("EDC_RELEASE", "")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["exchange.tokens.BearerToken"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["exchange.body.ExactJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "exchange.operation.Described",
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "exchange.problems.handle",
    "DEFAULT_THROTTLE_CLASSES": ["exchange.throttle.PerToken"],
    "DEFAULT_THROTTLE_RATES": {"token": os.environ.get("EDC_API_RATE", "1200/min")},
    "UNAUTHENTICATED_USER": None,
}
REST_KNOX = {"TOKEN_MODEL": "exchange.ApiToken", "AUTO_REFRESH": False}
KNOX_TOKEN_MODEL = "exchange.ApiToken"
SPECTACULAR_SETTINGS = {
    "TITLE": "ssCART-19 EDC",
    "DESCRIPTION": "Data of the ssCART-19 study: forms, visits, queries, deviations, changes. / ssCART-19 研究数据接口。",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": ["exchange.schemas.with_components"],
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL.replace("redis+socket://", "unix://", 1),
        "OPTIONS": {"socket_timeout": BROKER_PATIENCE},
    }
}

# Mails hold no clinical value and no name, only that something waits and where.
PUBLIC_URL = os.environ.get("EDC_URL", next(iter(CSRF_TRUSTED_ORIGINS), "http://127.0.0.1:8000")).rstrip("/")
_MAIL = urlsplit(os.environ.get("EDC_MAIL", ""))
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if _MAIL.hostname else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = BASE_DIR / "var" / "mail"
EMAIL_HOST, EMAIL_PORT = _MAIL.hostname or "localhost", _MAIL.port or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_MAIL.username or ""), unquote(_MAIL.password or "")
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.scheme == "smtp+tls", _MAIL.scheme == "smtps"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("EDC_MAIL_FROM", "edc@localhost")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # A fault's places in the code, never its values: see trial.faults.
    "formatters": {
        "places": {"()": "trial.faults.Formatter", "format": "%(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "places"}},
    "root": {"handlers": ["console"], "level": os.environ.get("EDC_LOG", "WARNING")},
    # A refused request is an answer, not an event for the log; errors still are.
    "loggers": {"django.request": {"level": "ERROR"}},
}
TEST_RUNNER = "django.test.runner.DiscoverRunner"
SILENCED_SYSTEM_CHECKS = ["models.W042"]
