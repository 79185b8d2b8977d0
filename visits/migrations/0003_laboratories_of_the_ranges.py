"""Every laboratory that a range names by its text becomes a laboratory; the text itself stays as it was."""

from typing import Any

from django.db import migrations

WHO = (
    "SELECT set_config('edc.actor', id::text, true), set_config('edc.role', 'system', true),"
    " set_config('edc.reason', %s, true) FROM trial_person WHERE is_system ORDER BY id LIMIT 1"
)
REASON = "laboratories are kept apart from their ranges; the name on the range stays"
NOBODY = "SELECT set_config('edc.actor', '', true), set_config('edc.role', '', true), set_config('edc.reason', '', true)"


def point(apps: Any, schema_editor: Any) -> None:
    """One laboratory for each site and name; the only one of a site is its default."""
    ranges = apps.get_model("visits", "ReferenceRange")
    laboratories = apps.get_model("visits", "Laboratory")
    named = sorted(set(ranges.objects.filter(lab=None).values_list("site_id", "laboratory")))
    if not named:
        return
    cursor = schema_editor.connection.cursor()
    cursor.execute(WHO, [REASON])
    sites = [site for site, _ in named]
    for site, name in named:
        made = laboratories(site_id=site, name=name, is_default=sites.count(site) == 1)
        made.save(force_insert=True)
        ranges.objects.filter(site_id=site, laboratory=name, lab=None).update(lab=made.pk)
    cursor.execute(NOBODY)


class Migration(migrations.Migration):
    dependencies = [("visits", "0002_laboratories_and_more"), ("trial", "0001_initial")]
    operations = [migrations.RunPython(point, migrations.RunPython.noop)]
