"""What the demo says on the console: steps, crawls and nights as they go on, tables, and where the time went."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from infra.local.demo.followed import History
from infra.local.demo.store_crawl import LiveStep, PlayedCrawls
from infra.local.demo.verdict import PlayedNight, Verdict
from nightjar.domain.rank import Outcome

PLAIN_WIDTH: Final = 140
"""Characters of a line where nobody says how wide the terminal is: a log file, a pipe."""
WIDE: Final = 110
"""Characters of a line that has room for everything."""
MOST_DIFFERENCES: Final = 40
NOT_EXPOSED, UNKNOWN = "–", "?"
STORE_COLUMNS: Final = (
    ("number", "platform_store_id"), ("name", "store_name"), ("category", "business_type"), ("service", "sub_type"),
    ("address", "road_address"), ("phone", "phone"), ("status", "status"),
)  # fmt: skip
"""What is shown of a store, and its fields in the API's answer."""
_COLOURS: Final = {"completed": "green", "cancelled": "yellow", "failed": "red"}


class Narrator:
    """Tells what happens, and keeps how long each step took."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or _console()
        self._seconds: list[tuple[str, float]] = []

    @contextmanager
    def step(self, name: str, what: str) -> Iterator[None]:
        """A step that takes a while: a spinner on a terminal, and a line once it is done."""
        started = time.monotonic()
        if self.console.is_terminal:
            with self.console.status(f"{name} ..."):
                yield
        else:
            yield
        self._done(name, what, time.monotonic() - started)

    @contextmanager
    def nights(self, total: int) -> Iterator[Callable[[PlayedNight], None]]:
        """The nights: a bar on a terminal, elsewhere a line for each. What is yielded is told of every night."""
        started = time.monotonic()
        if self.console.is_terminal:
            with self._bar(total) as show:
                yield show
        else:
            yield lambda played: self.console.print(escape(f"  {told(played, total)}"), highlight=False)
        self._done("nights", f"{total} nights played", time.monotonic() - started)

    def ranks(self, histories: Sequence[History]) -> None:
        """The table of ranks; on a narrow terminal the days of the three outcomes share a column."""
        is_wide = self.console.width >= WIDE
        table = _table("Ranks")
        for name in ("", "type", "keyword", "target"):
            table.add_column(name, overflow="fold", no_wrap=name == "keyword")
        counted = ("exposed", "not exp.", "unknown") if is_wide else ("exp/not/unk",)
        for name in ("latest", "best", "worst", "session", *counted):
            table.add_column(name, justify="right")
        for history in histories:
            followed = history.followed
            days = [str(history.count(outcome)) for outcome in Outcome]
            table.add_row(
                *(str(followed.id), followed.kind if is_wide else followed.rank_type),
                *(escape(followed.keyword), escape(followed.target)),
                *(shown(history), _rank(history.ranks, min), _rank(history.ranks, max)),
                *(str(history.current_session), *(days if is_wide else ["/".join(days)])),
            )
        self.console.print(table)
        self._line(
            f"  latest: {NOT_EXPOSED} is not exposed, {UNKNOWN} is unknown and (in brackets) what was known before"
        )

    def batches(self, nights: Sequence[PlayedNight]) -> None:
        """The table of batch summaries."""
        table = _table("Nights")
        for name in ("night", "date", "total", "success", "failed", "seconds"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("what happened", overflow="fold")
        for played in nights:
            batch = played.batch
            failed = f"[yellow]{batch.failed}[/]" if batch.failed else "0"
            table.add_row(
                *(str(played.night.number), str(played.night.day), str(batch.total), str(batch.success), failed),
                *(f"{batch.elapsed_seconds:.1f}", escape(played.night.story)),
            )
        self.console.print(table)

    def live(self, step: LiveStep) -> None:
        """A message of a crawl, as it comes."""
        what, message = said(step)
        colour = _COLOURS.get(step.status, "default")
        self._line(f"  {step.percent:>5} %  [{colour}]{escape(what):<15}[/]{escape(message)}")

    def stores(self, crawls: PlayedCrawls) -> None:
        """The table of an owner's stores, as the API gives them."""
        table = _table("Stores")
        for name, fields in STORE_COLUMNS:
            table.add_column(name, overflow="fold", no_wrap=fields == "platform_store_id")
        for store in crawls.stores:
            table.add_row(*(escape(cell(store, field)) for _, field in STORE_COLUMNS))
        self.console.print(table)

    def crawled(self, crawls: PlayedCrawls) -> None:
        """Whether the crawls were right, or the list of what was not."""
        if not crawls.differences:
            self._line(f"[green]✓[/] {escape(crawl_summary(crawls))}")
            return
        self._line(f"[red]✗[/] {len(crawls.differences)} things are wrong with the crawls of an owner's stores:")
        for line in crawls.differences[:MOST_DIFFERENCES]:
            self._line(f"    {escape(line)}")

    def verdict(self, verdict: Verdict) -> None:
        """Whether all is right, or the list of what is not."""
        if not verdict.differences:
            self._line(f"[green]✓[/] {escape(summary(verdict))}")
            return
        self._line(f"[red]✗[/] {len(verdict.differences)} differences between the history and what was shown:")
        for line in verdict.differences[:MOST_DIFFERENCES]:
            self._line(f"    {escape(line)}")
        if len(verdict.differences) > MOST_DIFFERENCES:
            self._line(f"    ... and {len(verdict.differences) - MOST_DIFFERENCES} more")

    def timings(self) -> None:
        """Where the time went."""
        total = sum(seconds for _, seconds in self._seconds)
        parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in self._seconds)
        self._line(f"  {total:.1f} s in all: {escape(parts)}")

    def say(self, line: str) -> None:
        """One line."""
        self._line(escape(line))

    @contextmanager
    def _bar(self, total: int) -> Iterator[Callable[[PlayedNight], None]]:
        columns = (
            TextColumn("  night"), MofNCompleteColumn(), BarColumn(bar_width=30), TimeElapsedColumn(),
            TextColumn("{task.description}", style="dim"),
        )  # fmt: skip
        with Progress(*columns, console=self.console, transient=True) as progress:
            bar = progress.add_task("", total=total)
            yield lambda played: progress.update(bar, advance=1, description=escape(_short(played)))

    def _done(self, name: str, what: str, seconds: float) -> None:
        self._seconds.append((name, seconds))
        self._line(f"[green]✓[/] {escape(what)} [dim]{seconds:.1f} s[/]")

    def _line(self, markup: str) -> None:
        self.console.print(markup, highlight=False, soft_wrap=True)


def summary(verdict: Verdict) -> str:
    """One sentence about a history that is right."""
    return (
        f"{verdict.days} days compared with what the site really showed: all right. On {verdict.in_trouble} of them "
        f"the site was in trouble: {verdict.unknown} stayed unknown, none became a wrong rank or a wrong 'not exposed'."
    )


def crawl_summary(crawls: PlayedCrawls) -> str:
    """One sentence about crawls that were right."""
    return (
        f"{len(crawls.stores)} stores of an owner read as the site shows them, with one login; the second crawl was "
        f"cancelled within {crawls.cancel_seconds:.2f} s and changed nothing."
    )


def said(step: LiveStep) -> tuple[str, str]:
    """What a message of a crawl says: while it runs the step and what is done, else how it ended and why."""
    if step.status == "in_progress":
        return step.step, step.message
    return step.status, step.message if step.status == "failed" else ""


def cell(store: Mapping[str, object], field: str) -> str:
    """A field of a store; what was not read is a dash."""
    value = store[field]
    return NOT_EXPOSED if value is None else str(value)


def told(played: PlayedNight, total: int) -> str:
    """A night in one line."""
    batch, night = played.batch, played.night
    line = f"night {night.number:>2}/{total} {night.day}: {batch.success} success, {batch.failed} failed, "
    return line + f"{played.seconds:.1f} s" + (f" ({night.story})" if night.story else "")


def shown(history: History) -> str:
    """The latest rank in a cell; of an unknown day the last known rank stands behind it."""
    day = history.latest
    if day is None or day.outcome is Outcome.UNKNOWN:
        return f"{UNKNOWN} ({history.known_rank or NOT_EXPOSED})"
    return str(day.rank) if day.rank else NOT_EXPOSED


def _table(title: str) -> Table:
    return Table(
        title=title, title_justify="left", header_style="bold", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )


def _rank(ranks: Sequence[int], which: Callable[[Sequence[int]], int]) -> str:
    return str(which(ranks)) if ranks else NOT_EXPOSED


def _short(played: PlayedNight) -> str:
    return f"{played.night.day}  {played.batch.success} success, {played.batch.failed} failed"


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=PLAIN_WIDTH)
