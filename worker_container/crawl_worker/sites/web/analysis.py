"""From the bytes of an archived object to what is understood of its pages. It keeps a processor busy: for a thread."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from threading import Event

from crawl_worker.engine.charset import text_of
from crawl_worker.sites.web.structure import Structure, structure_of
from crawl_worker.sites.web.urls import hash_of
from crawl_worker.sites.web.warc import ArchivedPage, read_record
from nightjar.database.page_links import FoundLink
from nightjar.database.page_structures import AnalysedPage, PageToAnalyse
from nightjar.errors import GiveUp, NotFound
from nightjar.observability import logger
from nightjar.ports import Archive

WHOLE_OBJECT_BYTES = 32_000_000
"""An object whose pages take no more is read at once, a larger one page by page."""

_HTML = frozenset(("text/html", "application/xhtml+xml"))

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class AnalysedObject:
    """The pages of an object, and the links of all of them."""

    pages: tuple[AnalysedPage, ...]
    links: tuple[FoundLink, ...]


def analysed(archive: Archive, name: str, pages: Sequence[PageToAnalyse], stop: Event) -> AnalysedObject:
    """Read an object and analyse its HTML pages. Once `stop` is set, no further page is begun.

    A page that cannot be read stays without a structure, which is logged. Raises ArchiveUnavailable.
    """
    bytes_of = _Object(archive, name, pages)
    understood: list[AnalysedPage] = []
    for page in pages:
        if stop.is_set():
            break
        if page.content_type in _HTML:
            understood += _analysed(bytes_of, page)
    return AnalysedObject(tuple(understood), tuple(link for page in pages for link in _links_of(page)))


class _Object:
    """An object of the archive, read at once if it is small enough."""

    def __init__(self, archive: Archive, name: str, pages: Sequence[PageToAnalyse]) -> None:
        self._archive = archive
        self._name = name
        end = max((page.offset + page.length for page in pages), default=0)
        self._begin = min((page.offset for page in pages), default=0)
        self._length = end - self._begin
        self._whole: bytes | None = None

    def of(self, page: PageToAnalyse) -> ArchivedPage:
        """The page's record. Raises NotFound, GiveUp, ArchiveUnavailable."""
        if self._length > WHOLE_OBJECT_BYTES:
            return read_record(self._archive.get(self._name, page.offset, page.length))
        if self._whole is None:
            self._whole = self._archive.get(self._name, self._begin, self._length)
        begin = page.offset - self._begin
        return read_record(self._whole[begin : begin + page.length])


def _analysed(bytes_of: _Object, page: PageToAnalyse) -> Iterator[AnalysedPage]:
    try:
        yield _page_of(page, structure_of(_html_of(bytes_of.of(page), page), page.url))
    except (NotFound, GiveUp) as error:
        log.warning("page_not_analysed", url=page.url, cause=error.message)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:  # a parser met its limits
        log.warning("page_not_analysed", url=page.url, cause=f"{type(error).__name__}: {error}")


def _html_of(archived: ArchivedPage, page: PageToAnalyse) -> str:
    if page.charset:
        return archived.body.decode(page.charset, errors="replace")
    kind = next((value for name, value in archived.headers if name.lower() == "content-type"), "")
    return text_of(archived.body, kind)


def _page_of(page: PageToAnalyse, structure: Structure) -> AnalysedPage:
    metadata: Mapping[str, object] = asdict(structure.metadata)
    return AnalysedPage(
        page_id=page.id,
        main_text=structure.main_text,
        markdown=structure.markdown,
        language=structure.language,
        metadata=metadata,
        pagination=structure.pagination,
        sections=structure.sections,
    )


def _links_of(page: PageToAnalyse) -> Iterator[FoundLink]:
    for url in dict.fromkeys(page.links):
        yield FoundLink(page.id, hash_of(url), "link")
    if page.canonical_url:
        yield FoundLink(page.id, hash_of(page.canonical_url), "canonical")
