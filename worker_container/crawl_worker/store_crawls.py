"""What store crawls of a child share: the sites, the secrets, the archive."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crawl_worker.engine.browser import Browser
from crawl_worker.engine.egress import EgressRule
from crawl_worker.engine.host_gate import GateRules, PostgresHostGate
from crawl_worker.engine.store import Store
from crawl_worker.sites.baemin.settings import BaeminSettings
from crawl_worker.sites.baemin.site import BaeminSite
from crawl_worker.sites.owner_site import OwnerSite
from crawl_worker.tasks.store_crawl import CrawlTools, StoreCrawlJob
from nightjar.application.store_crawling import CrawlRules
from nightjar.ports import Archive, SecretsOff, SecretStore, SecretsUnavailable
from nightjar.settings import WorkerSettings
from nightjar.tasks import TaskKind


class NoSecrets:
    """The secret store of a worker that may have none: a crawl there says what to set, and fails."""

    def put(self, name: str, value: str) -> None:  # noqa: ARG002  # the port's signature
        """Raises SecretsUnavailable."""
        raise SecretsUnavailable(SecretsOff().message)

    def get(self, name: str) -> str | None:  # noqa: ARG002  # the port's signature
        """Raises SecretsUnavailable."""
        raise SecretsUnavailable(SecretsOff().message)

    def delete(self, name: str) -> None:  # noqa: ARG002  # the port's signature
        """Raises SecretsUnavailable."""
        raise SecretsUnavailable(SecretsOff().message)


def secrets_or_none(make: Callable[[], SecretStore]) -> SecretStore:
    """The configured secret store, or one that says that there is none."""
    try:
        return make()
    except SecretsOff:
        return NoSecrets()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCrawls:
    """Makes the job of one attempt, for any of the sites."""

    store: Store
    browser: Browser
    gate_rules: GateRules
    secrets: SecretStore
    archive: Archive
    baemin: BaeminSettings
    user_agents: tuple[str, ...]
    settings: WorkerSettings

    def job(self, kind: TaskKind) -> StoreCrawlJob:
        """The job of one attempt, with one user agent from the list."""
        site, rule = self._sites()[kind]
        tools = CrawlTools(
            store=self.store,
            browser=self.browser,
            rule=rule,
            secrets=self.secrets,
            archive=self.archive,
            rules=CrawlRules(retry_delay=self.settings.ranks.retry_delay, time_limit=self.settings.soft_time_limit),
        )
        gate = PostgresHostGate(self.store, self.gate_rules, urgent=True)  # an owner watches
        return StoreCrawlJob(tools, site, gate, user_agent=random.choice(self.user_agents))  # noqa: S311  # no secret

    def _sites(self) -> Mapping[TaskKind, tuple[OwnerSite, EgressRule]]:
        """One line a site: Yogiyo and Coupang Eats would follow here."""
        return {
            TaskKind.CRAWL_BAEMIN_STORES: (
                BaeminSite(self.baemin),
                EgressRule(allowed_origins=self.baemin.stand_ins()),
            )
        }
