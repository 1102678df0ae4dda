"""One transaction and the repositories that speak through it. It never commits: whoever opened it does.

A repository is imported when it is first asked for: a function pays only for the nouns that it speaks of.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

if TYPE_CHECKING:
    from nightjar.database.accounts import Accounts
    from nightjar.database.alarms import Alarms
    from nightjar.database.api_keys import ApiKeys
    from nightjar.database.batches import Batches
    from nightjar.database.cafes import Cafes
    from nightjar.database.crawl_repairs import CrawlRepairs
    from nightjar.database.crawl_slices import CrawlSlices
    from nightjar.database.crawls import Crawls
    from nightjar.database.expired_crawls import ExpiredCrawls
    from nightjar.database.figures import Figures
    from nightjar.database.frontier import Frontier
    from nightjar.database.frontier_lists import FrontierLists
    from nightjar.database.host_lanes import HostLanes
    from nightjar.database.hosts import Hosts
    from nightjar.database.idempotent_requests import IdempotentRequests
    from nightjar.database.live_connections import LiveConnections
    from nightjar.database.live_tasks import LiveTasks
    from nightjar.database.outbox import Outbox
    from nightjar.database.page_links import PageLinks
    from nightjar.database.page_structures import PageStructures
    from nightjar.database.pages import Pages
    from nightjar.database.rank_checks import RankChecks
    from nightjar.database.rank_history import RankHistory
    from nightjar.database.robots import Robots
    from nightjar.database.secrets import Secrets
    from nightjar.database.sections import Sections
    from nightjar.database.stores import Stores
    from nightjar.database.tasks import Tasks
    from nightjar.database.trackings import Trackings
    from nightjar.database.url_traps import UrlTraps


TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:key)")

CANCEL_STATEMENTS = text("""
    SELECT pg_cancel_backend(pid) FROM pg_stat_activity
    WHERE application_name = :application AND state = 'active' AND pid <> pg_backend_pid()
""")


class UnitOfWork:
    """All nouns of the database in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def try_lock(self, key: int) -> bool:
        """Whether the advisory lock `key` is ours until the transaction ends; it is not waited for."""
        return bool(self.connection.execute(TRY_LOCK, {"key": key}).scalar_one())

    def cancel_statements_of(self, application: str) -> None:
        """Cancel what the connections that call themselves `application` are running at this moment."""
        self.connection.execute(CANCEL_STATEMENTS, {"application": application})

    @cached_property
    def accounts(self) -> "Accounts":
        """Accounts of shop owners, and the ledger of their logins."""
        from nightjar.database.accounts import Accounts

        return Accounts(self.connection)

    @cached_property
    def alarms(self) -> "Alarms":
        """Alarms that were raised."""
        from nightjar.database.alarms import Alarms

        return Alarms(self.connection)

    @cached_property
    def api_keys(self) -> "ApiKeys":
        """Keys of the API, hashed."""
        from nightjar.database.api_keys import ApiKeys

        return ApiKeys(self.connection)

    @cached_property
    def batches(self) -> "Batches":
        """Nightly and manual runs."""
        from nightjar.database.batches import Batches

        return Batches(self.connection)

    @cached_property
    def cafes(self) -> "Cafes":
        """Which slug and which number are the same cafe."""
        from nightjar.database.cafes import Cafes

        return Cafes(self.connection)

    @cached_property
    def crawl_repairs(self) -> "CrawlRepairs":
        """Site crawls that need the janitor."""
        from nightjar.database.crawl_repairs import CrawlRepairs

        return CrawlRepairs(self.connection)

    @cached_property
    def crawl_slices(self) -> "CrawlSlices":
        """The tasks that work at site crawls."""
        from nightjar.database.crawl_slices import CrawlSlices

        return CrawlSlices(self.connection)

    @cached_property
    def crawls(self) -> "Crawls":
        """Site crawls: orders, counts, ends."""
        from nightjar.database.crawls import Crawls

        return Crawls(self.connection)

    @cached_property
    def expired_crawls(self) -> "ExpiredCrawls":
        """Site crawls that are to be forgotten."""
        from nightjar.database.expired_crawls import ExpiredCrawls

        return ExpiredCrawls(self.connection)

    @cached_property
    def figures(self) -> "Figures":
        """Counts for monitoring."""
        from nightjar.database.figures import Figures

        return Figures(self.connection)

    @cached_property
    def frontier(self) -> "Frontier":
        """The URLs that site crawls have met."""
        from nightjar.database.frontier import Frontier

        return Frontier(self.connection)

    @cached_property
    def frontier_lists(self) -> "FrontierLists":
        """What site crawls have met and not kept, read for people."""
        from nightjar.database.frontier_lists import FrontierLists

        return FrontierLists(self.connection)

    @cached_property
    def host_lanes(self) -> "HostLanes":
        """Politeness of site crawls: who may send to a host, how often, over how many connections."""
        from nightjar.database.host_lanes import HostLanes

        return HostLanes(self.connection)

    @cached_property
    def idempotent_requests(self) -> "IdempotentRequests":
        """Requests that must not be carried out twice."""
        from nightjar.database.idempotent_requests import IdempotentRequests

        return IdempotentRequests(self.connection)

    @cached_property
    def hosts(self) -> "Hosts":
        """Politeness: who may send to a host, and when."""
        from nightjar.database.hosts import Hosts

        return Hosts(self.connection)

    @cached_property
    def live_connections(self) -> "LiveConnections":
        """Who watches a task through API Gateway."""
        from nightjar.database.live_connections import LiveConnections

        return LiveConnections(self.connection)

    @cached_property
    def live_tasks(self) -> "LiveTasks":
        """Tasks that somebody watches."""
        from nightjar.database.live_tasks import LiveTasks

        return LiveTasks(self.connection)

    @cached_property
    def outbox(self) -> "Outbox":
        """Tasks that need a message, and the marks of those that have one."""
        from nightjar.database.outbox import Outbox

        return Outbox(self.connection)

    @cached_property
    def pages(self) -> "Pages":
        """Pages of site crawls, read for people."""
        from nightjar.database.pages import Pages

        return Pages(self.connection)

    @cached_property
    def page_links(self) -> "PageLinks":
        """Which page of a site crawl leads to which."""
        from nightjar.database.page_links import PageLinks

        return PageLinks(self.connection)

    @cached_property
    def page_structures(self) -> "PageStructures":
        """What was understood of the pages of a site crawl."""
        from nightjar.database.page_structures import PageStructures

        return PageStructures(self.connection)

    @cached_property
    def rank_checks(self) -> "RankChecks":
        """The side of a rank check that the rank run needs."""
        from nightjar.database.rank_checks import RankChecks

        return RankChecks(self.connection)

    @cached_property
    def rank_history(self) -> "RankHistory":
        """One row per tracking and Korean day."""
        from nightjar.database.rank_history import RankHistory

        return RankHistory(self.connection)

    @cached_property
    def robots(self) -> "Robots":
        """What hosts ask of crawlers."""
        from nightjar.database.robots import Robots

        return Robots(self.connection)

    @cached_property
    def secrets(self) -> "Secrets":
        """Secrets, encrypted."""
        from nightjar.database.secrets import Secrets

        return Secrets(self.connection)

    @cached_property
    def sections(self) -> "Sections":
        """Sections of crawled pages."""
        from nightjar.database.sections import Sections

        return Sections(self.connection)

    @cached_property
    def stores(self) -> "Stores":
        """Stores of shop owners, and what changed about them."""
        from nightjar.database.stores import Stores

        return Stores(self.connection)

    @cached_property
    def tasks(self) -> "Tasks":
        """Tasks of every kind: claims, leases, ends."""
        from nightjar.database.tasks import Tasks

        return Tasks(self.connection)

    @cached_property
    def trackings(self) -> "Trackings":
        """What is followed."""
        from nightjar.database.trackings import Trackings

        return Trackings(self.connection)

    @cached_property
    def url_traps(self) -> "UrlTraps":
        """Forms of URLs that lead a crawl on without end."""
        from nightjar.database.url_traps import UrlTraps

        return UrlTraps(self.connection)
