import json

import pytest

from crawl_worker.sites.naver.blog_page import blog_rows
from crawl_worker.sites.naver.script_json import BrokenValue
from tests.unit.naver.pages import HELP, card, cards, old_card, page, post, post_key


def rows(html: str) -> list[str | None]:
    return blog_rows(html)[0]


def test_cards_are_read_in_document_order_and_nothing_around_them() -> None:
    assert rows(page(cards(3))) == [post_key(1), post_key(2), post_key(3)]


def test_a_card_counts_by_its_title_link_alone() -> None:
    related = f'<div>이 블로그의 다른 글<a href="{post(9)}" data-heatmap-target=".series">이전 글</a></div>'
    assert rows(page(card(post(1), inside=related))) == [post_key(1)]


def test_a_card_within_a_card_is_no_row() -> None:
    assert rows(page(card(post(1), inside=card(post(2))))) == [post_key(1)]


def test_hashed_class_names_do_not_matter() -> None:
    assert rows(page(card(post(1), hashed="zq81x"))) == [post_key(1)]


def test_the_desktop_variant_of_the_template_is_a_card_too() -> None:
    html = page(card(post(1)).replace('"ugcItem"', '"ugcItemDesk"'))
    assert rows(html) == [post_key(1)]


def test_an_advert_over_the_click_host_is_dropped() -> None:
    html = page(card("https://ader.naver.com/v1/abc", target=".tit") + card(post(2)))
    assert blog_rows(html) == ([post_key(2)], 2)


@pytest.mark.parametrize(
    "label",
    [
        f'<a href="{HELP}"><span>광고</span></a>',
        "<em>광고</em>",
        "<div><i>\n 광고 </i></div>",
        f'<a href="{HELP}"></a>',
        '<a href="#"><span>광고</span></a>',
    ],
)
def test_an_advert_that_links_to_a_post_is_dropped_by_its_label(label: str) -> None:
    assert rows(page(card(post(1), inside=label) + card(post(2)))) == [post_key(2)]


def test_a_label_belongs_to_its_own_card_alone() -> None:
    assert rows(page("<p>광고</p>" + card(post(1)) + "<span>광고</span>" + card(post(2)))) == [post_key(1), post_key(2)]


@pytest.mark.parametrize("title", ["<mark>광고</mark>", "<mark>광고</mark> 문의", "광고"])
def test_a_post_about_adverts_is_no_advert(title: str) -> None:
    assert rows(page(card(post(1), title=title))) == [post_key(1)]


def test_links_through_the_click_counter_are_unwrapped() -> None:
    wrapped = "https://search.naver.com/p/crd/rd?m=1&amp;u=https%3A%2F%2Fblog.naver.com%2Fnj_lamp1%2F223400000001"
    assert rows(page(card(wrapped))) == [post_key(1)]
    assert rows(page(card(wrapped).replace("https://search.naver.com/p/crd", "/p/crd"))) == [post_key(1)]
    by_attribute = card("https://search.naver.com/p/crd/rd?x=1").replace("data-heat", f'cru="{post(1)}" data-heat')
    assert rows(page(by_attribute)) == [post_key(1)]


def test_posts_on_other_hosts_take_a_slot_and_are_told_apart() -> None:
    html = page(card("https://nj.tistory.com/5?a=1#x") + card("https://nj.tistory.com/6") + card(post(1)))
    assert rows(html) == ["url:https://nj.tistory.com/5?a=1", "url:https://nj.tistory.com/6", post_key(1)]


def test_a_card_without_a_readable_link_takes_a_slot() -> None:
    html = page(card("#") + card(post(1)) + card(post(2), target=".unheard-of"))
    assert rows(html) == [None, post_key(1), None]


def test_repeats_stay_for_the_counting_rule_to_drop() -> None:
    assert rows(page(cards(2) + cards(1))) == [post_key(1), post_key(2), post_key(1)]


def test_the_old_design_is_read_as_well() -> None:
    advert = old_card(post(5), inside='<a class="link_ad" href="#"><i>광고</i></a>')
    html = page(
        f'<ul class="lst_view">{old_card(post(1))}{advert}{old_card(post(2))}</ul><ul><li class="bx">옵션</li></ul>'
    )
    assert blog_rows(html) == ([post_key(1), post_key(2)], 3)


def item(address: str, **more: object) -> dict[str, object]:
    return {"templateId": "ugcItem", "props": {"title": "글", "titleHref": address, "contentHref": address, **more}}


def phone_page(*blocks: dict[str, object]) -> str:
    calls = "".join(
        f'<script>entry.bootstrap(document.getElementById("b{n}"), {json.dumps(block, ensure_ascii=False)})</script>'
        for n, block in enumerate(blocks)
    )
    return page(f"<script>var entry={{bootstrap:function(){{}}}};</script>{calls}")


def block(*items: dict[str, object], area: str = "urB_boR", block_id: str = "ugc_blog") -> dict[str, object]:
    return {"meta": {"area": area}, "refs": {"blockId": block_id}, "props": {"x": [{"children": list(items)}]}}


def test_the_phones_cards_come_out_of_script_calls_in_their_order() -> None:
    assert rows(phone_page(block(item(post(1)), item(post(2))), block(item(post(3))))) == [
        post_key(n) for n in (1, 2, 3)
    ]


def test_of_the_phones_blocks_only_posts_count() -> None:
    html = phone_page(block(item(post(1)), area="web_gen", block_id="web"), block(item(post(2))))
    assert rows(html) == [post_key(2)]


def test_related_posts_of_a_phones_card_do_not_count() -> None:
    related = [{"templateId": "ugcItem", "props": {"titleHref": post(9)}}]
    assert rows(phone_page(block(item(post(1), afterArticles=related)))) == [post_key(1)]


def test_adverts_of_the_phone_are_known_by_host_and_by_badge() -> None:
    html = phone_page(
        block(
            item("https://ader.naver.com/v1/abc"),
            item(post(1), badge={"text": "광고"}),
            item(post(2), labels=[{"name": "광고"}]),
            item(post(3), title="광고", bodyText="광고"),
        )
    )
    assert blog_rows(html) == ([post_key(3)], 4)


def test_braces_and_tags_in_the_phones_texts_do_no_harm() -> None:
    assert rows(phone_page(block(item(post(1), bodyText='끝 }; {"a": [ <b> 글')))) == [post_key(1)]


def test_a_script_call_that_breaks_off_is_an_error_and_no_short_list() -> None:
    html = phone_page(block(item(post(1)), item(post(2))))
    with pytest.raises(BrokenValue):
        blog_rows(html[: html.index("nj_lamp2")])
