"""The page: one file that works offline. Plotly's script stands in it once, however many charts there are."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from plotly import graph_objects
from plotly.offline import get_plotlyjs

from infra.local.demo import charts
from infra.local.demo.followed import History
from infra.local.demo.printing import NOT_EXPOSED, STORE_COLUMNS, cell, crawl_summary, said, shown, summary
from infra.local.demo.store_crawl import PlayedCrawls
from infra.local.demo.verdict import PlayedNight, Verdict
from nightjar.domain.rank import Outcome

_TEMPLATE: Final = "page.html.jinja"


def write_page(
    file: Path, *, histories: Sequence[History], nights: Sequence[PlayedNight], verdict: Verdict, crawls: PlayedCrawls
) -> None:
    """Draw everything and write the file. Raises OSError."""
    text = render(histories=histories, nights=nights, verdict=verdict, crawls=crawls)
    file.write_text(text, encoding="utf-8")


def render(
    *, histories: Sequence[History], nights: Sequence[PlayedNight], verdict: Verdict, crawls: PlayedCrawls
) -> str:
    """The page as text."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return templates.get_template(_TEMPLATE).render(
        font=charts.FONT,
        plotly=get_plotlyjs(),
        histories=histories,
        nights=nights,
        verdict=verdict,
        summary=summary(verdict),
        counts={str(outcome): sum(history.count(outcome) for history in histories) for outcome in Outcome},
        searches=max((played.searches for played in nights), default=0),
        colours={"exposed": charts.EXPOSED, "not_exposed": charts.NOT_EXPOSED, "unknown": charts.UNKNOWN},
        overview=_drawn(charts.nights_chart(nights), "nights"),
        crawls=crawls,
        crawl_summary=crawl_summary(crawls),
        said=said,
        store_heads=[name for name, _ in STORE_COLUMNS],
        store_rows=[[cell(store, field) for _, field in STORE_COLUMNS] for store in crawls.stores],
        cards=[_card(history) for history in histories],
    )


def _card(history: History) -> dict[str, object]:
    return {
        "history": history,
        "latest": shown(history),
        "best": min(history.ranks, default=NOT_EXPOSED),
        "worst": max(history.ranks, default=NOT_EXPOSED),
        "chart": _drawn(charts.rank_chart(history), f"ranks-{history.followed.id}"),
    }


def _drawn(figure: graph_objects.Figure, name: str) -> str:
    """The chart as a piece of the page, without plotly's script."""
    drawn: str = figure.to_html(full_html=False, include_plotlyjs=False, config=charts.CONFIG, div_id=name)
    return drawn
