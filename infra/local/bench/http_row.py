"""Row `http`: our crawl of 2,000 static pages, stored and archived, against crawlers and bare loops that keep nothing.

All take turns in one run, on the same pages, served by one process; ours goes through API, queue and workers.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from infra.local.bench.contest import Contender, Crawled, run
from infra.local.bench.our_crawl import OurCrawl, crawl_stack
from infra.local.bench.peers import peer_versions
from infra.local.bench.rows import Row
from infra.local.bench.site import static_site
from tests.doubles.web.static_site import LINKS

PAGES = 2_000
CHILDREN = 2
ROUNDS = 3

CONCURRENCY = 16
"""In each process: of 8, 16, 32 and 64 the best for each of them, or as good as the best."""

SCRAPY, CRAWLEE, LOOP, TWO_LOOPS = "Scrapy", "Crawlee (Parsel)", "bare loop", "two bare loops"
TARGETS: Mapping[str, float] = {SCRAPY: 6, CRAWLEE: 4, LOOP: 0.5, TWO_LOOPS: 0.35}
OURS, OURS_WITH_STRUCTURE = "http", "http with structure"

Crawler = Callable[[], Crawled]


@dataclass(slots=True)
class Runs:
    """What each contender did, by its name and its number of processes."""

    of: dict[tuple[str, int], list[Crawled]] = field(default_factory=dict)

    def best(self, name: str) -> tuple[int, float, float]:
        """The best number of processes, with the median of its pages a second and its peak memory."""
        rates = {
            processes: statistics.median(crawled.rate for crawled in runs)
            for (contender, processes), runs in self.of.items()
            if contender == name
        }
        processes = max(rates, key=lambda number: rates[number])
        return processes, rates[processes], max(crawled.tree_mb for crawled in self.of[name, processes])


def measure() -> list[Row]:
    """Medians over rounds in which every contender crawls once, in turn: the load of the machine hits all alike."""
    with static_site(PAGES) as url, crawl_stack(url, children=CHILDREN) as stack:
        plain, analysed = (OurCrawl(url=url, pages=PAGES, structure=structure) for structure in (False, True))
        crawlers = contenders(url) | {(OURS, CHILDREN): partial(plain.run, stack)}
        for name in ((LOOP, 1), (OURS, CHILDREN)):  # fills the caches of the site and of our children
            crawlers[name]()
        runs = Runs()
        for _ in range(ROUNDS):
            for name, crawl in crawlers.items():
                runs.of.setdefault(name, []).append(crawl())
        runs.of[OURS_WITH_STRUCTURE, CHILDREN] = [analysed.run(stack)]
    return rows_of(runs)


def contenders(url: str) -> dict[tuple[str, int], Crawler]:
    """Those that keep nothing, each with one process and with two."""
    listed = [
        Contender(name=SCRAPY, module="scrapy_spider", processes=1, concurrency=CONCURRENCY),
        Contender(name=SCRAPY, module="scrapy_spider", processes=2, concurrency=CONCURRENCY),
        Contender(name=CRAWLEE, module="crawlee_parsel", processes=1, concurrency=CONCURRENCY),
        Contender(name=CRAWLEE, module="crawlee_parsel", processes=2, concurrency=CONCURRENCY),
        Contender(name=LOOP, module="bare_loop", processes=1, concurrency=CONCURRENCY),
        Contender(name=TWO_LOOPS, module="bare_loop", processes=2, concurrency=CONCURRENCY),
    ]
    return {(one.name, one.processes): partial(run, one, url, PAGES, PAGES * LINKS) for one in listed}


def rows_of(runs: Runs) -> list[Row]:
    """Our rows, and one for each contender that says what it was measured with."""
    rates = {name: runs.best(name)[1] for name in TARGETS}
    _, rate, peak_mb = runs.best(OURS)
    against = {name: rate / theirs for name, theirs in rates.items()}
    target = ", ".join(f"{times:g}x {name}" for name, times in TARGETS.items())
    reached = all(against[name] >= times for name, times in TARGETS.items())
    _, analysed, analysed_mb = runs.best(OURS_WITH_STRUCTURE)
    return [
        Row(name=OURS, value=rate, unit="pages/s", against=against, target=target, ok=reached, peak_mb=peak_mb),
        Row(
            name=OURS_WITH_STRUCTURE,
            value=analysed,
            unit="pages/s",
            against={name: analysed / theirs for name, theirs in rates.items()},
            target="stated",
            ok=None,
            peak_mb=analysed_mb,
        ),
        *(_row_of_contender(name, runs) for name in TARGETS),
    ]


def _row_of_contender(name: str, runs: Runs) -> Row:
    processes, rate, peak_mb = runs.best(name)
    versions = peer_versions()
    used: Mapping[str, Sequence[str]] = {
        SCRAPY: ("scrapy",),
        CRAWLEE: ("crawlee",),
        LOOP: ("aiohttp", "selectolax", "uvloop"),
        TWO_LOOPS: ("aiohttp", "selectolax", "uvloop"),
    }
    what = ", ".join(f"{package} {versions[package]}" for package in used[name])
    said = f"{what}; {processes} process{'es' if processes > 1 else ''}, {CONCURRENCY} requests each"
    return Row(name=f"http: {name}", value=rate, unit="pages/s", target=said, ok=None, peak_mb=peak_mb)
