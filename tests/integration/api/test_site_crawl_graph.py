"""What was understood of a site crawl: sections page by page, and the link graph in three formats."""

import json
from collections import Counter
from uuid import uuid4
from xml.etree import ElementTree as ET

import pytest
from httpx import Response

from nightjar.wiring import Api
from tests.integration.api.callers import CallerClient, error_of
from tests.integration.api.crawled import Frontier, ordered
from tests.integration.api.test_site_crawl_lists import all_of, streamed

GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"


@pytest.fixture
def frontier(owner: CallerClient, api: Api) -> Frontier:
    """Of an open crawl of the owner."""
    return Frontier(api.database, ordered(owner))


def sections_path(frontier: Frontier) -> str:
    return f"/api/v1/crawls/{frontier.crawl_id}/sections"


def graph_of(caller: CallerClient, frontier: Frontier, kind: str) -> Response:
    answer = caller.get(f"/api/v1/crawls/{frontier.crawl_id}/graph", format=kind)
    assert answer.status_code == 200, answer.text
    return answer


def test_a_section_is_shown_with_its_place_in_the_tree(owner: CallerClient, frontier: Frontier) -> None:
    frontier.has("done", 1)
    frontier.is_stored()
    frontier.is_analysed(sections=3)
    (page,) = owner.get(f"/api/v1/crawls/{frontier.crawl_id}/pages").json()["items"]
    first, second, third = owner.get(sections_path(frontier)).json()["items"]
    assert first == {
        "id": f"{page['id']}-0",
        "parent_id": None,
        "page_url": page["final_url"],
        "type": "main",
        "heading": "제목 0",
        "level": 2,
        "text": "글 글 글 ",
        "path": "main[1]/section[0]",
        "position": 0,
    }
    assert (second["parent_id"], third["parent_id"], third["type"]) == (first["id"], second["id"], "section")


def test_the_nodes_of_a_crawl_are_its_pages_and_once_they_were_analysed_their_sections(
    owner: CallerClient, frontier: Frontier
) -> None:
    frontier.has("done", 5)
    frontier.is_stored()
    path = f"/api/v1/crawls/{frontier.crawl_id}"
    assert owner.get(path).json()["total_nodes"] == 5
    frontier.is_analysed(sections=3)
    frontier.ends()
    shown = owner.get(path).json()
    assert (shown["pages_crawled"], shown["total_nodes"], shown["engines"]) == (5, 20, {"http": 5})
    assert len(owner.get(f"{path}/graph").json()["nodes"]) == 20


def test_thousands_of_sections_come_each_once_in_document_order(owner: CallerClient, frontier: Frontier) -> None:
    frontier.has("done", 300)
    frontier.is_stored()
    frontier.is_analysed(sections=9)
    listed = list(all_of(owner, sections_path(frontier), limit=200))
    assert len({section["id"] for section in listed}) == len(listed) == 2_700
    places = [tuple(map(int, str(section["id"]).split("-"))) for section in listed]
    assert places == sorted(places)
    assert streamed(owner, sections_path(frontier)) == listed


def test_long_sections_come_in_answers_that_lambda_can_give(owner: CallerClient, frontier: Frontier) -> None:
    frontier.has("done", 30)
    frontier.is_stored()
    frontier.is_analysed(sections=2, words=100_000)
    answer = owner.get(sections_path(frontier), limit=200)
    assert len(answer.content) < 6_000_000
    assert 1 < len(answer.json()["items"]) < 60
    listed = list(all_of(owner, sections_path(frontier), limit=200))
    assert len({section["id"] for section in listed}) == len(listed) == 60


def test_a_crawl_that_was_not_analysed_has_no_sections(owner: CallerClient, frontier: Frontier) -> None:
    assert owner.get(sections_path(frontier)).json() == {"items": [], "next": None}
    assert streamed(owner, sections_path(frontier)) == []


def test_the_graph_as_json_has_all_pages_sections_and_edges(owner: CallerClient, frontier: Frontier) -> None:
    frontier.has("done", 1_200)
    frontier.is_stored()
    frontier.is_analysed(sections=2)
    answer = graph_of(owner, frontier, "json")
    assert answer.headers["content-type"] == "application/json"
    graph = answer.json()
    assert Counter(node["kind"] for node in graph["nodes"]) == {"page": 1_200, "section": 2_400}
    assert Counter(edge["kind"] for edge in graph["edges"]) == {"link": 1_200, "contains": 2_400}
    ids = {node["id"] for node in graph["nodes"]}
    assert len(ids) == 3_600
    assert {end for edge in graph["edges"] for end in (edge["source"], edge["target"])} <= ids
    assert set(graph["nodes"][0]) == {"id", "kind", "url", "title"}
    assert owner.get(f"/api/v1/crawls/{frontier.crawl_id}/graph").json() == graph


def test_all_formats_hold_the_same_graph(owner: CallerClient, frontier: Frontier) -> None:
    frontier.has("done", 7)
    frontier.is_stored()
    frontier.is_analysed(sections=2)
    graphml = graph_of(owner, frontier, "graphml")
    root = ET.fromstring(graphml.text)  # our own
    assert len(root.findall(f".//{GRAPHML}node")) == 7 + 14
    assert len(root.findall(f".//{GRAPHML}edge")) == 7 + 14
    assert graphml.headers["content-disposition"] == f'attachment; filename="crawl-{frontier.crawl_id}.graphml"'
    cypher = graph_of(owner, frontier, "cypher")
    assert cypher.headers["content-type"] == "text/x-cypher; charset=utf-8"
    assert ("MERGE (n:PAGE" in cypher.text, "MERGE (n:SECTION" in cypher.text) == (True, True)
    assert (cypher.text.count("source:"), cypher.text.count("{id: '")) == (21, 21)


def test_the_graph_of_an_empty_crawl_is_empty(owner: CallerClient, frontier: Frontier) -> None:
    assert json.loads(graph_of(owner, frontier, "json").text) == {"nodes": [], "edges": []}


def test_sections_and_graph_of_somebody_else_are_a_404(
    owner: CallerClient, stranger: CallerClient, frontier: Frontier
) -> None:
    for rest in ("sections", "sections?format=ndjson", "graph", "graph?format=graphml", "graph?format=cypher"):
        assert owner.get(f"/api/v1/crawls/{frontier.crawl_id}/{rest}").status_code == 200
        for caller, crawl_id in ((stranger, frontier.crawl_id), (owner, uuid4())):
            answer = caller.get(f"/api/v1/crawls/{crawl_id}/{rest}")
            assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")


@pytest.mark.parametrize("query", ["graph?format=csv", "sections?cursor=x", "sections?format=csv"])
def test_what_nobody_can_give_is_a_422(owner: CallerClient, frontier: Frontier, query: str) -> None:
    assert owner.get(f"/api/v1/crawls/{frontier.crawl_id}/{query}").status_code == 422
