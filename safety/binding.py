"""Which protocol version binds a subject: what the site had approved and the subject consented to, not today's date."""

from safety.casebook import Casebook
from trial.protocol import PROTOCOLS, Protocol


def binding(book: Casebook) -> Protocol:
    """The version of the ICF the subject last signed; else the site's newest approval; else the first version."""
    from subjects.models import InformedConsent

    signed = [
        c for c in book.of(InformedConsent) if c.consent_type in ("INITIAL", "RECONSENT") and c.consent_dt
    ]
    by_label = {v.label: v.protocol_version for v in book.site.icf_versions}
    for consent in sorted(signed, key=lambda c: c.consent_dt, reverse=True):
        if by_label.get(consent.icf_version) in PROTOCOLS:
            return PROTOCOLS[by_label[consent.icf_version]]
    approved = [
        p for p in book.site.protocols if p.approved_on <= book.today and p.protocol_version in PROTOCOLS
    ]
    return PROTOCOLS[approved[-1].protocol_version] if approved else next(iter(PROTOCOLS.values()))
