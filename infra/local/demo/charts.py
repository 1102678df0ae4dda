"""The charts: one of ranks per tracking, one of all nights. Made with plotly, drawn by its script in the page."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Final

from plotly import graph_objects

from infra.local.demo.followed import Day, History
from infra.local.demo.verdict import PlayedNight
from nightjar.domain.rank import Outcome

FONT: Final = (
    "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, "
    "'Apple SD Gothic Neo', 'Malgun Gothic', 'Noto Sans KR', 'Noto Sans CJK KR', NanumGothic, sans-serif"
)
"""Latin, then Korean fonts of macOS and iOS, Windows, Android and Linux: the page carries none."""

INK, MUTED, GRID = "#1f2933", "#7b8794", "#e4e7eb"
EXPOSED, NOT_EXPOSED, UNKNOWN = "#2563eb", "#9aa5b1", "#d97706"
SUCCESS = "#93b4f5"
SHADES = ("#f5f7fa", "#e8eefc")
"""Odd and even sessions."""

RANK_HEIGHT, OVERVIEW_HEIGHT = 250, 240
CONFIG: Final = {"displayModeBar": False, "responsive": True}
_MOST_STEPS = 4
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200)
_WIDE_BAND = 8
"""Days of a session whose band has room for the word."""
_STRIP = (0.0, 0.09)
_RANKS = (0.17, 1.0)


def rank_chart(history: History) -> graph_objects.Figure:
    """Ranks by day, rank 1 on top. The line has gaps; a strip below it says which days are not exposed or unknown."""
    figure = graph_objects.Figure()
    figure.add_trace(_line(history.days))
    figure.add_trace(_marks(history.days, Outcome.NOT_EXPOSED, "not exposed", NOT_EXPOSED, "line-ew-open"))
    figure.add_trace(_marks(history.days, Outcome.UNKNOWN, "unknown", UNKNOWN, "diamond"))
    _shade_sessions(figure, history.days)
    _style(figure, height=RANK_HEIGHT)
    figure.update_layout(showlegend=False, hovermode="closest")
    top, bottom, ticks = _scale(history.ranks)
    figure.update_yaxes(range=[bottom, top], tickvals=ticks, domain=_RANKS)
    figure.update_xaxes(anchor="y2")
    figure.update_layout(yaxis2={"domain": _STRIP, "range": [-1, 1], "visible": False, "fixedrange": True})
    if not history.ranks:
        figure.add_annotation(
            text="no rank on any day", showarrow=False, xref="paper", yref="paper", x=0.5, y=0.6, font={"color": MUTED}
        )
    return figure


def nights_chart(nights: Sequence[PlayedNight]) -> graph_objects.Figure:
    """Trackings with and without a result, night by night."""
    figure = graph_objects.Figure()
    days = [played.night.day for played in nights]
    stories = [played.night.story or "nothing special" for played in nights]
    success = [played.batch.success for played in nights]
    failed = [played.batch.failed for played in nights]
    for name, figures, colour in (("success", success, SUCCESS), ("failed", failed, UNKNOWN)):
        figure.add_trace(
            graph_objects.Bar(
                x=days, y=figures, name=name, marker={"color": colour}, customdata=stories,
                hovertemplate="%{x|%d %b}: %{y} " + name + "<br>%{customdata}<extra></extra>",
            )
        )  # fmt: skip
    _style(figure, height=OVERVIEW_HEIGHT)
    figure.update_layout(
        barmode="stack",
        bargap=0.25,
        hovermode="closest",
        legend={"orientation": "h", "y": 1.14, "x": 0, "traceorder": "normal"},
    )
    figure.update_yaxes(title={"text": "trackings"}, rangemode="tozero")
    return figure


def _line(days: Sequence[Day]) -> graph_objects.Scatter:
    return graph_objects.Scatter(
        x=[day.checked_on for day in days],
        y=[day.rank for day in days],
        mode="lines+markers",
        connectgaps=False,
        line={"color": EXPOSED, "width": 2},
        marker={"size": 6},
        customdata=[day.session_number for day in days],
        hovertemplate="<b>rank %{y}</b><br>%{x|%d %b %Y}<br>session %{customdata}<extra></extra>",
    )


def _marks(days: Sequence[Day], outcome: Outcome, name: str, colour: str, symbol: str) -> graph_objects.Scatter:
    """The days of one outcome that is no rank, in the strip below."""
    found = [day for day in days if day.outcome is outcome]
    return graph_objects.Scatter(
        x=[day.checked_on for day in found],
        y=[0] * len(found),
        yaxis="y2",
        mode="markers",
        marker={"symbol": symbol, "size": 8, "color": colour, "line": {"width": 3, "color": colour}},
        customdata=[_why(day) for day in found],
        hovertemplate=f"<b>{name}</b><br>%{{x|%d %b %Y}}<br>%{{customdata}}<extra></extra>",
    )


def _why(day: Day) -> str:
    if day.outcome is Outcome.UNKNOWN:
        return _wrapped(day.reason or "no reason given")
    return f"not among the {day.checked_count} rows that were read"


def _wrapped(text: str, width: int = 44) -> str:
    """Text in lines of about `width` characters, as hover labels need it."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)


def _shade_sessions(figure: graph_objects.Figure, days: Sequence[Day]) -> None:
    """A band for each session, from half a day before its first day to half a day after its last."""
    for number, group in groupby(days, key=lambda day: day.session_number):
        held = list(group)
        name = f"session {number}" if len(held) >= _WIDE_BAND else str(number)
        figure.add_shape(
            type="rect", layer="below", line={"width": 0}, fillcolor=SHADES[(number + 1) % 2],
            x0=_noon_before(held[0].checked_on), x1=_noon_before(held[-1].checked_on + timedelta(days=1)),
            xref="x", yref="paper", y0=0, y1=1,
            label={"text": name, "textposition": "top left", "font": {"size": 10, "color": MUTED}},
        )  # fmt: skip


def _noon_before(day: date) -> str:
    return f"{day - timedelta(days=1)} 12:00"


def _scale(ranks: Sequence[int]) -> tuple[float, float, list[int]]:
    """Upper end, lower end and ticks of the axis of ranks: round ones, and room for the line on both sides."""
    best, worst = min(ranks, default=1), max(ranks, default=10)
    step = next(step for step in _STEPS if worst - best <= step * _MOST_STEPS)
    first = best if step <= _STEPS[1] else best - best % step
    ticks = [max(tick, 1) for tick in range(first, worst + step, step)]
    margin = max(0.6, (worst - best) * 0.1)
    return best - margin * 1.5, worst + margin, ticks


def _style(figure: graph_objects.Figure, *, height: int) -> None:
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": 42, "r": 12, "t": 8, "b": 30},
        font={"family": FONT, "size": 12, "color": INK},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hoverlabel={"bgcolor": "white", "bordercolor": GRID, "font": {"family": FONT, "color": INK}, "align": "left"},
        dragmode=False,  # a finger on a chart scrolls the page
    )
    figure.update_xaxes(type="date", tickformat="%d %b", nticks=7, showgrid=False, fixedrange=True, linecolor=GRID)
    figure.update_yaxes(gridcolor=GRID, zeroline=False, fixedrange=True)
