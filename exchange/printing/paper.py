"""`Paper`: A4 pages with a running head, page x of y, the version hash and the last checkpoint on every page."""

from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from fpdf import FPDF
from fpdf.enums import TextMode

from exchange.printing import fonts
from exchange.printing.breaking import lines_of

LEFT, RIGHT, TOP, BOTTOM = 15.0, 195.0, 22.0, 276.0
TOTAL = "{y}"
LABEL = 66.0
GAP = 3.0
INK, QUIET, ACCENT, WARN = (20, 30, 38), (95, 105, 112), (11, 92, 107), (150, 40, 20)
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Running:
    """What stands on every page: above `title`, below the hash and the checkpoint; `page` has {x} and {y}."""

    title: str
    about: str
    digest: str
    checkpoint: str
    page: str = "{x} / {y}"


class Paper(FPDF):
    """Pages that are filled from the top; nothing is drawn below BOTTOM but the foot."""

    def __init__(self, running: Running, made: datetime, language: str) -> None:
        super().__init__(format="A4")
        self.running = running
        self.widths: dict[str, float] = {}
        self.add_font(fonts.MAIN, fname=str(fonts.main_path()))
        self.add_font(fonts.SIGNS, fname=str(fonts.signs_path()))
        self.set_fallback_fonts([fonts.SIGNS])
        self.set_auto_page_break(False)
        self.set_creation_date(made)
        self.set_title(f"{running.title} {running.about}")
        self.set_lang(language)
        self.set_font(fonts.MAIN, size=8)
        self.alias_nb_pages(TOTAL)
        self.add_page()

    def header(self) -> None:
        """The running head."""
        self._at(10, 7.5, self.running.title, LEFT, INK)
        self._at(10, 7.5, self.running.about, RIGHT, QUIET, right=True)
        self._rule(15)
        self.set_y(TOP)

    def footer(self) -> None:
        """Hash, checkpoint, page x of y."""
        self._rule(280)
        self._at(281, 6.5, f"SHA-256 {self.running.digest}", LEFT, QUIET)
        told = self.running.checkpoint
        fits = self.measure(told, 6.5) <= RIGHT - LEFT
        for number, line in enumerate([told] if fits else told.split(" / ")):  # one line for each language
            self._at(284.5 + 3 * number, 6.5, line, LEFT, QUIET)
        self._at(281, 7.5, self.running.page.replace("{x}", str(self.page_no())), RIGHT, INK, right=True)

    def _rule(self, y: float) -> None:
        self.set_draw_color(190, 198, 204)
        self.set_line_width(0.2)
        self.line(LEFT, y, RIGHT, y)

    def _at(self, y: float, size: float, text: str, x: float, colour: Colour, right: bool = False) -> None:
        text = fonts.printable(text)
        start = x - self.measure(text, size) if right else x
        self._line(start, y, size, text, colour, size * 0.45)

    def measure(self, text: str, size: float) -> float:
        """The width of a text in millimetres."""
        return sum(self._width(c) for c in text) * size

    def _width(self, character: str) -> float:
        """The width of a character at size 1; measured once."""
        if character not in self.widths:
            self.set_font_size(10)
            known = fonts.plain(character)
            self.widths[character] = (self.get_string_width(character) if known else 2.1) / 10
        return self.widths[character]

    def _line(self, x: float, y: float, size: float, text: str, colour: Colour, height: float) -> None:
        self.set_font_size(size)
        self.set_text_color(*colour)
        if fonts.plain(text) and TOTAL not in text:
            self.text(x, y + height * 0.78, text)
        else:
            self.set_xy(x - self.c_margin, y)
            self.cell(w=0, h=height, text=text)

    def room(self, height: float) -> None:
        """Begin a new page when less than `height` is left of this one."""
        if self.get_y() + height > BOTTOM:
            self.add_page()

    def block(
        self,
        text: str,
        size: float = 8,
        colour: Colour = INK,
        x: float = LEFT,
        right: float = RIGHT,
        struck: bool = False,
    ) -> None:
        """A text between two edges, over as many lines and pages as it takes."""
        height = size * 0.47
        for line in self._broken(text, right - x, size):
            self.room(height)
            y = self.get_y()
            self._line(x, y, size, line, colour, height)
            if struck:
                self.set_draw_color(*colour)
                self.line(x, y + height * 0.52, x + self.measure(line, size), y + height * 0.52)
            self.set_y(y + height)

    def heading(self, text: str, level: int) -> None:
        """A heading that keeps some of what follows beside it, and stands in the file's outline."""
        size = (13.0, 10.0, 8.5)[level]
        self.room(size * 0.47 + (22, 14, 9)[level])
        self.set_y(self.get_y() + (3, 2, 1)[level])
        if level < 2:
            self.start_section(fonts.printable(text)[:120], level=level)
        with self.local_context(text_mode=TextMode.FILL_STROKE, line_width=0.12, draw_color=ACCENT):
            self.block(text, size, ACCENT)
        if level == 0:
            self._rule(self.get_y() + 0.5)
        self.set_y(self.get_y() + 1)

    def pair(self, label: str, value: str, struck: bool = False, size: float = 8, shift: float = 0) -> None:
        """A label and, to its right, what it says; the longer of the two decides where the next one begins."""
        height, names = size * 0.47, self._broken(label, LABEL, size)
        self.room(height * len(names))
        top, page = self.get_y(), self.page_no()
        for index, line in enumerate(names):
            self._line(LEFT, top + index * height, size, line, QUIET, height)
        self.set_y(top)
        self.block(value, size, x=LEFT + LABEL + GAP + shift, struck=struck)
        below = top + height * len(names) if self.page_no() == page else 0
        self.set_y(max(self.get_y(), below) + 0.5)

    def _broken(self, text: str, room: float, size: float) -> list[str]:
        return lines_of(fonts.printable(text), room, lambda c: self._width(c) * size)

    def empty_box(self, x: float, grey: bool) -> None:
        """A box to write in, on the line that comes next; grey when the system fills it."""
        self.set_draw_color(120, 130, 136)
        self.set_fill_color(232, 236, 238)
        self.set_line_width(0.2)
        self.rect(x, self.get_y() + 0.2, 36, 3.6, style="DF" if grey else "D")

    def note(self, text: str, colour: Colour = QUIET, whole: bool = False) -> None:
        """A remark under the value before it, or (`whole`) about all that stands above it."""
        self.block(text, 7, colour, x=LEFT if whole else LEFT + LABEL + GAP)

    def write_to(self, out: IO[bytes]) -> None:
        """Write the file."""
        made: Any = self.output()
        out.write(bytes(made))
