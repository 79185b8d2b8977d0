"""The web server's entrance. In production it opens only when the self-check finds no fault."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

if settings.PRODUCTION:
    from trial.selfcheck import require

    require()
