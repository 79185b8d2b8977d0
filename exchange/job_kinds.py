"""Every kind of job there is."""

from exchange.casebook_job import CASEBOOK
from exchange.crf_job import ANNOTATED_CRF
from exchange.incoming_files.work import IMPORT
from exchange.jobs import Kind

_ALL: tuple[Kind, ...] = (CASEBOOK, ANNOTATED_CRF, IMPORT)
KINDS: dict[str, Kind] = {kind.code: kind for kind in _ALL}
