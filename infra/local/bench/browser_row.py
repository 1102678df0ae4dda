"""Row `browser`: pages rendered, stored and archived by the whole system, beside Playwright loops and Crawlee."""

from collections.abc import Mapping, Sequence

from infra.local.bench.contest import Contender, Crawled, run
from infra.local.bench.our_crawl import OurCrawl, crawl_stack
from infra.local.bench.peers import peer_versions
from infra.local.bench.rows import Row
from infra.local.bench.site import static_site
from tests.doubles.web.static_site import LINKS

PAGES = 400
CRAWLEE_PAGES = 100
FEW_PAGES = 24
"""For who launches a browser each time: a page takes it the better part of a second."""

CHILDREN = (1, 2)

BARE_LOOP, CRAWLEE, LAUNCH_EACH = "bare Playwright loop", "Crawlee", "launch per page"
TARGETS: Mapping[str, float] = {BARE_LOOP: 0.8, CRAWLEE: 4.0, LAUNCH_EACH: 10.0}

BARE_LOOPS = (
    Contender(name=BARE_LOOP, module="browser_bare_loop", processes=1, concurrency=4),
    Contender(name=BARE_LOOP, module="browser_bare_loop", processes=1, concurrency=8),
    Contender(name=BARE_LOOP, module="browser_bare_loop", processes=2, concurrency=4),
)
CRAWLEES = (
    Contender(name=CRAWLEE, module="browser_crawlee", processes=1, concurrency=4),
    Contender(name=CRAWLEE, module="browser_crawlee", processes=2, concurrency=4),
)
LAUNCHERS = (
    Contender(name=LAUNCH_EACH, module="browser_launch_each", processes=1, concurrency=1),
    Contender(name=LAUNCH_EACH, module="browser_launch_each", processes=1, concurrency=2),
)
"""Each is compared at the number of processes and pages at once that suits it best on the machine."""


def measure() -> list[Row]:
    """Static pages, then pages made by scripts."""
    print("versions: " + ", ".join(f"{name} {version}" for name, version in peer_versions().items()), flush=True)
    return [row for script_made in (False, True) for row in _measure(script_made=script_made)]


def _measure(*, script_made: bool) -> list[Row]:
    kind = "script-made" if script_made else "static"
    with static_site(PAGES, script_made=script_made) as site:
        ours = max((_ours(site, children) for children in CHILDREN), key=lambda crawled: crawled.rate)
        best = _best_of(BARE_LOOPS, site, PAGES)
    for slower, pages in ((CRAWLEES, CRAWLEE_PAGES), (LAUNCHERS, FEW_PAGES)):
        with static_site(pages, script_made=script_made) as site:
            best |= _best_of(slower, site, pages)
    ratios = {name: ours.rate / theirs.rate for name, theirs in best.items()}
    row = Row(
        name=f"browser {kind}",
        value=ours.rate,
        unit="pages/s",
        against=ratios,
        target=", ".join(f"{times:g}x {name}" for name, times in TARGETS.items()),
        ok=all(ratios[name] >= times for name, times in TARGETS.items()),
        peak_mb=ours.tree_mb,
    )
    return [row, *(_peer_row(f"browser {kind}: {name}", crawled) for name, crawled in best.items())]


def _ours(site: str, children: int) -> Crawled:
    """The second of two crawls by one system: the first starts what lives on between crawls."""
    with crawl_stack(site, children=children) as stack:
        crawl = OurCrawl(url=site, pages=PAGES, structure=False, engine="browser")
        crawl.run(stack)
        crawled = crawl.run(stack)
    print(f"  ours, {children} children: {crawled.rate:.1f} pages/s", flush=True)
    return crawled


def _best_of(contenders: Sequence[Contender], site: str, pages: int) -> dict[str, Crawled]:
    best: dict[str, Crawled] = {}
    for contender in contenders:
        crawled = run(contender, site, pages, pages * LINKS)
        name = contender.name
        print(f"  {name}, {contender.processes} x {contender.concurrency}: {crawled.rate:.1f} pages/s", flush=True)
        if name not in best or crawled.rate > best[name].rate:
            best[name] = crawled
    return best


def _peer_row(name: str, crawled: Crawled) -> Row:
    return Row(name=name, value=crawled.rate, unit="pages/s", target="", ok=None, peak_mb=crawled.tree_mb)
