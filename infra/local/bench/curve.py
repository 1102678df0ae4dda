"""Row `curve`: pages a second over 1, 2 and 4 children, and what a page costs over crawls of 1,000 to 100,000 pages.

The cost is CPU time of worker and Postgres, which neither the machine's other work nor the site's own server changes:
that one makes its pages anew in large crawls, and so takes its part of the cores. Some minutes: only with ONLY=curve.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from plotly.subplots import make_subplots

from infra.local.bench.cpu import CpuTime
from infra.local.bench.our_crawl import OurCrawl, crawl_stack
from infra.local.bench.rows import Row
from infra.local.bench.site import static_site

CHILDREN = (1, 2, 4)
PAGES_OF_THE_CHILDREN = 10_000
SIZES = (1_000, 10_000, 100_000)
CHILDREN_OF_THE_SIZES = 2
FLAT = 1.25
"""A page of the largest crawl costs at most this much more than one of the crawl of a tenth of its size."""

PLOT = Path("build/crawl_curve.html")
MILLISECONDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One crawl."""

    children: int
    pages: int
    rate: float
    cpu_ms: float
    """Of worker and Postgres, for one page."""

    tree_mb: float


def measure() -> list[Row]:
    """Crawl, draw the plot, and say what a page of the largest crawl costs beside one of a smaller."""
    over_children = [point(children, PAGES_OF_THE_CHILDREN) for children in CHILDREN]
    (known,) = (one for one in over_children if one.children == CHILDREN_OF_THE_SIZES)
    over_sizes = [known if pages == known.pages else point(CHILDREN_OF_THE_SIZES, pages) for pages in SIZES]
    draw(over_children, over_sizes)
    print(f"plot: {PLOT}")
    return [
        *(_rate_row(one) for one in over_children),
        *(_cost_row(one, over_sizes) for one in over_sizes),
    ]


def point(children: int, pages: int) -> Point:
    """Crawl a site of `pages` pages once, after a crawl that warms the worker up."""
    with ExitStack() as stack:
        small, large = (stack.enter_context(static_site(size)) for size in (SIZES[0], pages))
        system = stack.enter_context(crawl_stack(small, large, children=children))
        OurCrawl(url=small, pages=SIZES[0], structure=False).run(system)
        pids = [pid for name in ("worker-1", "postgres") if (pid := system.process(name).pid)]
        cpu = CpuTime(*pids)
        crawled = OurCrawl(url=large, pages=pages, structure=False).run(system, cpu)
    cpu_ms = cpu.seconds / pages * MILLISECONDS
    print(
        f"{children} children, {pages:,} pages: {crawled.rate:,.0f} pages/s, {cpu_ms:.2f} ms of CPU a page", flush=True
    )
    return Point(children=children, pages=pages, rate=crawled.rate, cpu_ms=cpu_ms, tree_mb=crawled.tree_mb)


def draw(over_children: Sequence[Point], over_sizes: Sequence[Point], target: Path = PLOT) -> None:
    """The three curves as one page that needs no network."""
    titles = (
        f"pages/s over children ({PAGES_OF_THE_CHILDREN:,} pages)",
        f"pages/s over pages of the crawl ({CHILDREN_OF_THE_SIZES} children)",
        f"ms of CPU a page over pages of the crawl ({CHILDREN_OF_THE_SIZES} children)",
    )
    figure = make_subplots(rows=1, cols=3, subplot_titles=titles)
    curves = (
        ([one.children for one in over_children], [one.rate for one in over_children]),
        ([one.pages for one in over_sizes], [one.rate for one in over_sizes]),
        ([one.pages for one in over_sizes], [one.cpu_ms for one in over_sizes]),
    )
    for column, (x, y) in enumerate(curves, start=1):
        figure.add_scatter(x=x, y=y, mode="lines+markers", row=1, col=column)
        figure.update_yaxes(rangemode="tozero", row=1, col=column)
    for column in (2, 3):
        figure.update_xaxes(type="log", tickvals=list(SIZES), row=1, col=column)
    figure.update_xaxes(tickvals=list(CHILDREN), row=1, col=1)
    figure.update_layout(title="What a site crawl costs", showlegend=False, template="plotly_white")
    target.parent.mkdir(exist_ok=True)
    figure.write_html(target, include_plotlyjs=True)


def _rate_row(one: Point) -> Row:
    name = f"curve: {one.children} child{'ren' if one.children > 1 else ''}, {one.pages:,} pages"
    return Row(name=name, value=one.rate, unit="pages/s", target="stated", ok=None, peak_mb=one.tree_mb)


def _cost_row(one: Point, over_sizes: Sequence[Point]) -> Row:
    """Only the largest crawl has a target: start and end of a small one weigh on each of its pages."""
    before, largest = over_sizes[-2:]
    is_largest = one is largest
    return Row(
        name=f"curve: cost over {one.pages:,} pages",
        value=one.cpu_ms,
        unit="ms CPU/page",
        against={f"{before.pages:,} pages": one.cpu_ms / before.cpu_ms} if is_largest else {},
        target=f"at most {FLAT}x that of {before.pages:,} pages" if is_largest else "stated",
        ok=one.cpu_ms <= FLAT * before.cpu_ms if is_largest else None,
        peak_mb=one.tree_mb,
    )
