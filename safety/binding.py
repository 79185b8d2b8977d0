"""Which protocol version binds a subject: what the site had approved and the subject consented to, not today's date."""

from safety.casebook import Casebook
from trial.protocol import PROTOCOLS, Protocol


def binding(book: Casebook) -> Protocol:
    """The version of the newest consent whose version the site has approved, a refused one apart; of a subject who
    signed another form only, what the site had approved by that day; of one who signed none, the site's newest approval;
    else the first version. A casebook that is held against another version says so itself (`bound`)."""
    return PROTOCOLS[book.bound] if book.bound else book.once(_binding)


def _binding(book: Casebook) -> Protocol:
    from subjects.models import InformedConsent

    approved = [
        p for p in book.site.protocols if p.approved_on <= book.today and p.protocol_version in PROTOCOLS
    ]
    in_force = {next(iter(PROTOCOLS)), *(p.protocol_version for p in approved)}
    by_label = {v.label: v.protocol_version for v in book.site.icf_versions}
    signed = [
        c
        for c in book.of(InformedConsent)
        if c.consent_type in ("INITIAL", "RECONSENT") and c.consent_dt and c.signed_by_subject is not False
    ]
    signed.sort(key=lambda c: c.consent_dt, reverse=True)
    for consent in signed:
        if by_label.get(consent.icf_version) in in_force:
            return PROTOCOLS[by_label[consent.icf_version]]
    if signed:
        day = book.day(signed[0].consent_dt)
        approved = [p for p in approved if day is None or p.approved_on <= day]
    return PROTOCOLS[approved[-1].protocol_version] if approved else next(iter(PROTOCOLS.values()))
