"""`manage.py annotated_crf --out FILE`: the blank annotated CRF as PDF."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from exchange.blank import digest
from exchange.files import whole
from exchange.printing import crf
from exchange.printing.tongues import LANGUAGES, Tongue
from trial.dates import utc_now


class Command(BaseCommand):
    help = "Print the blank annotated CRF, made from the definitions of the forms. / 由表单定义生成注释病例报告表。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--out", required=True, type=Path, help="the PDF to write")
        parser.add_argument("--language", choices=list(LANGUAGES), default="both", help="default: both")

    def handle(self, *args: Any, **options: Any) -> None:
        with whole(options["out"]) as out:
            pages = crf.draw(Tongue(options["language"]), utc_now(), out)
        self.stdout.write(f"{options['out']}: {pages} pages, content SHA-256 {digest()}")
