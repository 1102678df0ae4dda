"""Which pages of a list are worth reading."""

import pytest

from nightjar.domain.pagination_plan import PaginationStrategy, plan_of


@pytest.mark.parametrize(
    ("total", "strategy", "pages"),
    [
        (1, "all", (1,)),
        (5, "all", (1, 2, 3, 4, 5)),
        (6, "representative", (1, 2, 3, 6)),
        (20, "representative", (1, 2, 3, 20)),
        (21, "sampling", (1, 2, 3, 10, 20, 21)),
        (4000, "sampling", (1, 2, 3, 10, 20, 4000)),
    ],
)
def test_the_strategy_follows_from_the_number_of_pages(total: int, strategy: str, pages: tuple[int, ...]) -> None:
    plan = plan_of(total)
    assert (plan.strategy, plan.total_pages, plan.pages) == (PaginationStrategy(strategy), total, pages)


@pytest.mark.parametrize("total", [0, -1])
def test_a_list_has_at_least_one_page(total: int) -> None:
    with pytest.raises(ValueError, match="at least one page"):
        plan_of(total)
