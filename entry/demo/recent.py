"""Stories of subjects who were infused at the third dose level, in the order of their infusions; two are on the ward."""

from datetime import timedelta

from entry.demo.forms import pk_sample
from entry.demo.outcome import next_therapy, noticed
from entry.demo.product import collect
from entry.demo.screening import admit
from entry.demo.story import Story, at
from entry.demo.talk import ask
from entry.demo.toxicity import course_events, medicine, tocilizumab
from entry.demo.treated import treat, vaccine
from entry.demo.treatment import EARLY, FOLLOW_UP, MONTHS, attend, come_back, deplete, infuse, prepare, stay
from trial.dates import add_months, span

MONTHS_BETWEEN = 3


def remission(story: Story) -> None:
    """All goes as planned, past month 12. Nothing is broken and nothing is open."""
    admit(story.plan())
    treat(story)
    come_back(story, *FOLLOW_UP)


def medicines_out_of_order(story: Story) -> None:
    """Two doses of tocilizumab six hours apart, the first before any CRS was graded; mycophenolate, a live vaccine, and
    blinatumomab in remission."""
    admit(story.plan())
    treat(story)
    event = story.kept[("adverse_event", "")]
    tocilizumab(story, 1, 1, event)
    tocilizumab(story, 2, 1, event, at_hour=21)
    ongoing = ("10", "mg", "BID", "PO")
    day = at(story.on(40), "08:00")
    medicine(
        story,
        "Mycophenolate 吗替麦考酚酯",
        "OTHER_IMMUNOSUPPRESSANT",
        ongoing,
        day,
        at(story.on(54), "08:00"),
        indication="OTHER",
    )
    vaccine(story, story.on(100))
    come_back(story, *EARLY, "M2")
    next_therapy(story, story.on(70), type="BLINATUMOMAB", in_remission="YES", indication="CONSOLIDATION")
    come_back(story, *MONTHS[1:])


def samples_missing(story: Story) -> None:
    """A marrow not done at day 28, kinetic samples late, thin or lost, one day without a grade, toxicity not signed off."""
    admit(story.plan())
    collect(story)
    prepare(story)
    deplete(story)
    infuse(story)
    stay(story, 8)
    attend(story, "D9", leave_out=("crs_assessment", "icans_assessment"))
    attend(story, "D10", leave_out=("pk_sample",))
    story.not_done("pk_sample", "D10", "SAMPLE_LOST")
    for visit in ("D11", "D12", "D13"):
        attend(story, visit)
    attend(story, "D14", leave_out=("pk_sample",))
    pk_sample(story, "D14", story.on(14), gdna_ug="0.06")
    course_events(story)
    come_back(story, "D17", "D21")
    attend(story, "D28", leave_out=("bone_marrow", "dlt_assessment", "response"))
    story.not_done("bone_marrow", "D28", "SUBJECT_REFUSED")
    noticed(story, story.on(28))
    attend(story, "M2", also=("bone_marrow",))
    come_back(story, *MONTHS[1:])


def relapsed_early(story: Story) -> None:
    """As planned, until the leukaemia is back at month 3. Nothing is broken and nothing is open."""
    story.plan().relapse_at = "M3"
    admit(story)
    treat(story)
    come_back(story, *EARLY, "M2", "M3")
    next_therapy(story, story.nominal("M3") + timedelta(days=9))


def on_the_ward(story: Story) -> None:
    """Day 14 is today. Echocardiography before consent, consent on a version not approved, an old blood count; one of
    the two bags leaked, so half of the cells were given, the dose of the second level."""
    admit(story.plan(), icf="0.9", echo_day=-1, counted_day=-3)
    treat(story, dose=0.5)
    sample = story.kept[("haematology", "D12")]
    story.correct(
        sample, "Sampling time after the report 按检验报告更正采样时间", lb_dt=at(story.on(12), "06:50")
    )


def transplant_month_unknown(story: Story) -> None:
    """In the first week. Of a transplant only the month is known, so whether three months had passed cannot be told."""
    ago = next(days for days in range(story.ago, 2, -1) if _ambiguous(story.plan(days)))
    month = f"{add_months(story.plan(ago).on(0), -MONTHS_BETWEEN):%Y-%m}"
    admit(story, sct=month)
    treat(story)
    ask(
        story,
        story.kept[("prior_transplant", "")],
        "sct_date",
        "Please find the day of the transplant 请补充移植日期的“日”",
    )


def _ambiguous(story: Story) -> bool:
    """Whether the month three months before the infusion leaves open if three months had passed."""
    month = span(f"{add_months(story.on(0), -MONTHS_BETWEEN):%Y-%m}").plus_months(MONTHS_BETWEEN)
    return month.first < story.on(0) < month.last
