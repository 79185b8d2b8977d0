"""What the review site shows, named here and nowhere else. The order is the order of the lists."""

from django.contrib import admin

from review.derivation_admin import DerivationAdmin
from review.deviation_admin import (
    DeviationAdmin,
    DeviationAssessmentAdmin,
    EnrolmentHoldAdmin,
    HoldReviewAdmin,
    ReminderAdmin,
    RuleSetAdmin,
)
from review.eligibility_admin import EligibilityResultAdmin, ReadingApprovalAdmin
from review.form_admin import FormAdmin, StudyFormAdmin
from review.models import DeviationAssessment, Query
from review.query_admin import QueryAdmin
from review.signature_admin import SignatureAdmin
from review.study_admin import (
    AccountabilityAdmin,
    AssignmentAdmin,
    IcfVersionAdmin,
    IdentityCheckAdmin,
    LaboratoryAdmin,
    PersonAdmin,
    ReferenceRangeAdmin,
    SiteAdmin,
    SiteProtocolAdmin,
    SubjectAdmin,
)
from safety.forms import FORMS, STUDY_FORMS
from safety.models import (
    Derivation,
    Deviation,
    EligibilityResult,
    EnrolmentHold,
    HoldReview,
    Reminder,
    RuleSet,
)
from subjects.crf import Subject
from subjects.models import Signature
from trial.models import (
    Accountability,
    Assignment,
    IcfVersion,
    IdentityCheck,
    Person,
    ReadingApproval,
    Site,
    SiteProtocol,
)
from visits.models import Laboratory, ReferenceRange

admin.site.register(Query, QueryAdmin)
admin.site.register(Deviation, DeviationAdmin)
admin.site.register(EnrolmentHold, EnrolmentHoldAdmin)
admin.site.register(HoldReview, HoldReviewAdmin)
admin.site.register(RuleSet, RuleSetAdmin)
admin.site.register(Reminder, ReminderAdmin)
admin.site.register(DeviationAssessment, DeviationAssessmentAdmin)
admin.site.register(EligibilityResult, EligibilityResultAdmin)
admin.site.register(Derivation, DerivationAdmin)
admin.site.register(Signature, SignatureAdmin)
admin.site.register(Subject, SubjectAdmin)
for form in FORMS:
    admin.site.register(form, FormAdmin)
for study_form in STUDY_FORMS:
    admin.site.register(study_form, StudyFormAdmin)
admin.site.register(Site, SiteAdmin)
admin.site.register(IcfVersion, IcfVersionAdmin)
admin.site.register(SiteProtocol, SiteProtocolAdmin)
admin.site.register(Laboratory, LaboratoryAdmin)
admin.site.register(ReferenceRange, ReferenceRangeAdmin)
admin.site.register(Person, PersonAdmin)
admin.site.register(Assignment, AssignmentAdmin)
admin.site.register(IdentityCheck, IdentityCheckAdmin)
admin.site.register(Accountability, AccountabilityAdmin)
admin.site.register(ReadingApproval, ReadingApprovalAdmin)
