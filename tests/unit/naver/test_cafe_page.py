import pytest

from crawl_worker.sites.naver.cafe_page import cafe_rows, club_id_of
from tests.unit.naver.pages import article, cafe_row, page


def rows(*items: str) -> list[str | None]:
    return cafe_rows(page(f'<ul class="lst_view">{"".join(items)}</ul>'))[0]


def test_articles_are_known_by_slug_and_number() -> None:
    assert rows(cafe_row(article(11)), cafe_row(article(12, "NJOther"))) == ["cafe:njcafemoss001/11", "cafe:njother/12"]


def test_rows_of_options_and_of_cafes_are_no_results() -> None:
    option = '<li class="bx"><a href="?st=rel">관련도순</a></li>'
    cafe = '<li class="bx"><div class="name_area"><a class="cafe_name" href="https://cafe.naver.com/nj">카페</a></div></li>'
    assert rows(option, cafe, cafe_row(article(11))) == ["cafe:njcafemoss001/11"]


def test_a_link_with_a_club_number_keeps_the_number() -> None:
    assert rows(cafe_row("https://m.cafe.naver.com/ca-fe/web/cafes/20000001/articles/11?art=x")) == ["club:20000001/11"]


def test_adverts_are_dropped_by_host_and_by_label() -> None:
    html = page(
        cafe_row("https://ader.naver.com/v1/x") + cafe_row(article(11), "<span>광고</span>") + cafe_row(article(12))
    )
    assert cafe_rows(html) == (["cafe:njcafemoss001/12"], 3)


@pytest.mark.parametrize(
    ("html", "club_id"),
    [
        ('<script>var g_sClubId = "20000001";</script>', "20000001"),
        ("<script>g_sClubId='20000001'</script>", "20000001"),
        ("<script>var g_sClubId = 20000001;</script>", "20000001"),
        ('<script>var g_sClubId = "";</script>', None),
        ("<p>카페</p>", None),
    ],
)
def test_the_home_of_a_cafe_names_its_number(html: str, club_id: str | None) -> None:
    assert club_id_of(html) == club_id
