"""Every address of the system."""

from django.contrib import admin
from django.urls import include, path

from entry.health import health

urlpatterns = [
    path("health", health, name="health"),
    path("admin/", admin.site.urls),
    path("api/", include("exchange.urls")),
    path("", include("exchange.page_urls")),
    path("", include("entry.urls")),
]

handler400 = "exchange.fallback.bad_request"
handler403 = "exchange.fallback.forbidden"
handler404 = "exchange.fallback.not_found"
handler500 = "exchange.fallback.server_error"
