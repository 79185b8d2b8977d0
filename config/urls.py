"""Every address of the system."""

from django.contrib import admin
from django.urls import include, path

from entry.health import health

urlpatterns = [
    path("health", health, name="health"),
    path("admin/", admin.site.urls),
    path("api/", include("exchange.urls")),
    path("", include("entry.urls")),
]

handler400 = "entry.errors.bad_request"
handler403 = "entry.errors.forbidden"
handler404 = "entry.errors.not_found"
handler500 = "entry.errors.server_error"
