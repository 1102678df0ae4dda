"""A crawl of all page designs through the whole system: its sections, its graph and its plan are those of the truth."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import networkx as nx
import pytest

from tests.acceptance.site_crawls.system import Crawled, WebCrawls
from tests.doubles.web.replica import Json
from tests.doubles.web.sites import SITES
from tests.doubles.web.truth import all_pages, expected

HOST = "designs"
DEPTH = 3
DESIGNS = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """The crawl, its sections by the address of their page, and its graph."""

    crawled: Crawled
    sections: dict[str, list[Json]]
    graph: Json
    graphml: bytes


@pytest.fixture(scope="module")
def understood(shared_crawls: WebCrawls) -> Iterator[Understood]:
    """All designs, analysed."""
    crawled = shared_crawls.crawl(shared_crawls.web.url(HOST), depth=DEPTH, limit=10_000, structure=True, seconds=120)
    task_id = str(crawled.answer["task_id"])
    sections: dict[str, list[Json]] = {}
    for section in shared_crawls.listed(task_id, "sections"):
        sections.setdefault(shared_crawls.web.target(HOST, section["page_url"]), []).append(section)
    graphs = {
        kind: shared_crawls.client.get(f"/api/v1/crawls/{task_id}/graph", params={"format": kind}).content
        for kind in ("json", "graphml")
    }
    yield Understood(crawled=crawled, sections=sections, graph=json.loads(graphs["json"]), graphml=graphs["graphml"])
    shared_crawls.settle_down()


def test_every_page_has_its_headings(understood: Understood) -> None:
    assert understood.crawled.answer["status"] == "completed"
    reached = expected(HOST, depth=DEPTH, browser=False).pages
    met = [design for design in all_pages() if design.path in reached]
    assert len({design.name for design in met}) >= DESIGNS
    for design in met:
        headings = [one for one in understood.sections[design.path] if one["type"] == "heading"]
        assert tuple((one["level"], one["heading"]) for one in headings) == design.outline, design.path


def test_a_section_names_its_parent_on_the_same_page(understood: Understood) -> None:
    for sections in understood.sections.values():
        ids = {section["id"] for section in sections}
        assert {section["parent_id"] for section in sections} - {None} <= ids


def test_the_graph_has_a_link_for_each_that_leads_from_page_to_page(
    understood: Understood, shared_crawls: WebCrawls
) -> None:
    found = expected(HOST, depth=DEPTH, browser=False).pages
    pages = SITES[HOST]().pages
    meant = {(page, link.target) for page in found for link in pages[page].links if link.target in found}
    by_id = {node["id"]: shared_crawls.web.target(HOST, node["url"]) for node in understood.graph["nodes"]}
    links = [
        (by_id[edge["source"]], by_id[edge["target"]]) for edge in understood.graph["edges"] if edge["kind"] == "link"
    ]
    assert Counter(links) == Counter(meant)


def test_graphml_and_json_show_one_graph(understood: Understood) -> None:
    graph = understood.graph
    loaded = nx.read_graphml(io.BytesIO(understood.graphml))
    assert (loaded.number_of_nodes(), loaded.number_of_edges()) == (len(graph["nodes"]), len(graph["edges"]))
    kinds = Counter(node["kind"] for node in graph["nodes"])
    sections = sum(map(len, understood.sections.values()))
    assert kinds == {"page": len(understood.crawled.pages), "section": sections}


def test_the_plan_names_each_list_with_its_total(understood: Understood, shared_crawls: WebCrawls) -> None:
    meant = {
        (shared_crawls.web.url(HOST, design.numbers.pattern), design.numbers.total)
        for design in all_pages()
        if design.numbers is not None and design.numbers.total is not None
    }
    plan = understood.crawled.answer["pagination"]
    assert {(one["url_pattern"], one["total_pages"]) for one in plan} == meant
