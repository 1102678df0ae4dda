"""What a contender is asked to crawl, and how it tells what came of it: one protocol for all of them.

A contender is a program of the peers' environment. It imports what it needs, prints `ready`, starts to crawl at the
next line of its input, and prints a Report. So neither starting Python nor importing counts against it.

Where several processes crawl one site without a frontier that they share, each owns every n-th page: it begins at the
first page that it owns and leaves links to the pages of others alone. So none waits for another, and no page is read
twice; on the site of the bench every page can be reached this way.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass, field
from time import monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of a site: the pages whose number is `number` modulo `of`. `url` is the front page, number 0."""

    url: str
    concurrency: int
    number: int
    of: int

    @property
    def start(self) -> str:
        """The first page that this process owns."""
        return f"{self.url}page/{self.number}" if self.number else self.url

    def owns(self, url: str) -> bool:
        """Whether the page at this URL is for this process."""
        if self.of == 1:
            return True
        page = url.rsplit("/", 1)[1]
        return (int(page) if page else 0) % self.of == self.number


@dataclass(slots=True)
class Report:
    """What one process read. `seconds` counts from the start signal to the last page."""

    pages: int = 0
    links: int = 0
    titles: int = 0
    seconds: float = 0.0
    started: float = field(default_factory=monotonic)

    def read(self, title: str | None, links: int) -> None:
        """One page was read."""
        self.pages += 1
        self.links += links
        self.titles += 1 if title else 0
        self.seconds = monotonic() - self.started


def given_share() -> Share:
    """The share of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    for number in ("concurrency", "number", "of"):
        parser.add_argument(f"--{number}", type=int, required=True)
    return Share(**vars(parser.parse_args()))


def wait_for_the_start() -> Report:
    """Say that everything is imported, and wait for the signal that all contenders get at once."""
    print("ready", flush=True)
    sys.stdin.readline()
    return Report()


def tell(report: Report) -> None:
    """Print what was read."""
    print(json.dumps(asdict(report)), flush=True)
