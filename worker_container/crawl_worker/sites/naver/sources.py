"""Which source reads which rank."""

from collections.abc import Mapping, Sequence

from crawl_worker.engine.fetcher import PoliteFetcher
from crawl_worker.sites.naver.api_source import ApiSource
from crawl_worker.sites.naver.cafe_homes import CafeHomes
from crawl_worker.sites.naver.place_source import PagePlaceSource
from crawl_worker.sites.naver.profiles import profiles
from crawl_worker.sites.naver.settings import NaverSettings
from crawl_worker.sites.naver.tab_source import PageTabSource
from nightjar.domain.tracking import Device, RankType, Source
from nightjar.ports import RankSource


def rank_sources(
    settings: NaverSettings,
    fetcher: PoliteFetcher,
    user_agents: Sequence[str],
    *,
    sources: Mapping[RankType, Source],
) -> dict[RankType, RankSource]:
    """The source of each rank type that is switched on, for one task: its user agents are chosen here and kept."""
    agents = profiles(user_agents)
    tabs = PageTabSource(settings, fetcher, profiles=agents)
    homes = CafeHomes(settings, fetcher, user_agent=agents[Device.PC].user_agent)
    api = ApiSource(settings, fetcher, homes=homes)
    known: dict[tuple[RankType, Source], RankSource] = {
        (RankType.PLACE, Source.PAGE): PagePlaceSource(settings, fetcher, profiles=agents),
        (RankType.BLOG, Source.PAGE): tabs,
        (RankType.CAFE, Source.PAGE): tabs,
        (RankType.BLOG, Source.API): api,
        (RankType.CAFE, Source.API): api,
    }
    chosen = ((rank_type, known.get((rank_type, source))) for rank_type, source in sources.items())
    return {rank_type: source for rank_type, source in chosen if source is not None}
