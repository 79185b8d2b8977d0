"""What the review site shows of the files that came in."""

from django.contrib import admin

from exchange.imported import ImportFile
from review.study_admin import StudyAdmin
from trial.access import Act


class ImportFileAdmin(StudyAdmin):
    """Every file that came in: from whom, as what, and what came of its rows."""

    needs = (Act.READ,)
    list_display = ("name", "site", "profile", "person", "state", "wish", "rows", "changed_at")
    list_filter = ("site", "state", "profile")
    list_select_related = ("site", "person")
    search_fields = ("name", "sha256")
    ordering = ("-changed_at",)


admin.site.register(ImportFile, ImportFileAdmin)
