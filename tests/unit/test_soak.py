"""How a soak reads its own curve."""

import pytest

from infra.local.bench.soak import Sample, Verdict, memory_at


def test_memory_at_a_number_of_pages_is_the_median_around_it() -> None:
    samples = [Sample(pages, 0, megabytes) for pages, megabytes in ((390, 1), (410, 5), (500, 9), (590, 7), (700, 99))]
    assert memory_at(samples, 500) == 7


def test_where_nothing_was_seen_near_it_the_nearest_counts() -> None:
    assert memory_at([Sample(0, 0, 1.0), Sample(900, 0, 3.0)], 500) == 3.0


@pytest.mark.parametrize(
    ("end", "failed", "left", "good"),
    [(110.0, 0, 0, True), (80.0, 0, 0, True), (111.0, 0, 0, False), (100.0, 1, 0, False), (100.0, 0, 1, False)],
)
def test_a_soak_fails_on_growth_a_failed_page_or_a_chromium_that_stays(
    end: float, failed: int, left: int, good: bool
) -> None:
    assert Verdict(reference=100.0, end=end, failed_pages=failed, chromium_left=left).is_good is good
