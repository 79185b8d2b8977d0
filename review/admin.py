"""What the review site shows, named here and nowhere else. The order is the order of the lists."""

from django.contrib import admin

from review.deviation_admin import DeviationAdmin
from review.form_admin import FormAdmin
from review.models import Query
from review.query_admin import QueryAdmin
from review.study_admin import (
    AssignmentAdmin,
    IcfVersionAdmin,
    PersonAdmin,
    ReferenceRangeAdmin,
    SiteAdmin,
    SiteProtocolAdmin,
    SubjectAdmin,
)
from safety.forms import FORMS
from safety.models import Deviation
from subjects.crf import Subject
from trial.models import Assignment, IcfVersion, Person, Site, SiteProtocol
from visits.models import ReferenceRange

admin.site.register(Query, QueryAdmin)
admin.site.register(Deviation, DeviationAdmin)
admin.site.register(Subject, SubjectAdmin)
for form in FORMS:
    admin.site.register(form, FormAdmin)
admin.site.register(Site, SiteAdmin)
admin.site.register(IcfVersion, IcfVersionAdmin)
admin.site.register(SiteProtocol, SiteProtocolAdmin)
admin.site.register(ReferenceRange, ReferenceRangeAdmin)
admin.site.register(Person, PersonAdmin)
admin.site.register(Assignment, AssignmentAdmin)
