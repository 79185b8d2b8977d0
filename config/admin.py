"""The review site takes the admin's place."""

from django.contrib.admin.apps import AdminConfig


class ReviewAdminConfig(AdminConfig):
    """Django's admin with the review app's site."""

    default_site = "review.site.ReviewSite"
