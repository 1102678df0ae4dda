import pytest

from crawl_worker.sites.naver.cafe_homes import judge_home
from crawl_worker.sites.naver.profiles import DEFAULT_DESKTOP_USER_AGENT, DEFAULT_MOBILE_USER_AGENT, profiles
from crawl_worker.sites.naver.settings import NaverSettings
from nightjar.domain.tracking import Device
from nightjar.errors import Blocked, ErrorCode, GiveUp, RetryLater
from nightjar.settings import BadSettings
from tests.unit.naver.pages import answer, limited


def test_the_defaults_are_the_real_hosts() -> None:
    settings = NaverSettings.from_environment({})
    assert settings == NaverSettings()
    assert settings.search_more_url == "https://s.search.naver.com"
    assert len(settings.origins()) == 10


def test_every_host_can_be_replaced() -> None:
    names = [
        "SEARCH",
        "SEARCH_MORE",
        "MOBILE_SEARCH",
        "PLACE",
        "PCPLACE",
        "PLACE_GRAPHQL",
        "MAP",
        "CAFE",
        "SHORT",
        "API",
    ]
    environment = {f"NAVER_{name}_URL": f"http://127.0.0.1:{9000 + n}/" for n, name in enumerate(names)}
    settings = NaverSettings.from_environment(environment | {"NAVER_API_KEY_ID": "id", "NAVER_API_KEY": "key"})
    assert sorted(settings.origins()) == [f"http://127.0.0.1:{9000 + n}" for n in range(10)]
    assert (settings.api_key_id, settings.api_key) == ("id", "key")


@pytest.mark.parametrize("value", ["search.naver.com", "ftp://search.naver.com", "https://", "https://x/?q=1"])
def test_what_is_no_address_is_refused_by_name(value: str) -> None:
    with pytest.raises(BadSettings, match="NAVER_SEARCH_URL"):
        NaverSettings.from_environment({"NAVER_SEARCH_URL": value})


def test_the_key_is_not_shown() -> None:
    settings = NaverSettings(api_key_id="SECRET-ID", api_key="SECRET-KEY")
    assert "SECRET" not in repr(settings)


PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148"
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0.0.0"


def test_each_device_gets_a_user_agent_of_its_kind_from_the_list() -> None:
    chosen = profiles([DESKTOP, PHONE])
    assert chosen[Device.PC].user_agent == DESKTOP
    assert not chosen[Device.PC].mobile
    assert chosen[Device.MOBILE].user_agent == PHONE
    assert chosen[Device.MOBILE].mobile


def test_where_the_list_lacks_a_kind_the_plain_default_is_taken() -> None:
    assert profiles([DESKTOP])[Device.MOBILE].user_agent == DEFAULT_MOBILE_USER_AGENT
    assert profiles([PHONE])[Device.PC].user_agent == DEFAULT_DESKTOP_USER_AGENT


def test_the_home_of_a_cafe_is_judged_as_every_page() -> None:
    home = '<!doctype html><html><body><script>var g_sClubId = "20000001";</script></body></html>'
    assert judge_home(answer(home)) == "20000001"
    assert judge_home(answer("<html></html>", 404)) is None
    with pytest.raises(Blocked):
        judge_home(answer(limited("서비스 이용이 제한되었습니다")))
    with pytest.raises(Blocked):
        judge_home(answer("", 429))
    with pytest.raises(RetryLater):
        judge_home(answer("<html><body>", 200))
    with pytest.raises(GiveUp) as refusal:
        judge_home(answer("<html><body>카페</body></html>"))
    assert refusal.value.code is ErrorCode.LAYOUT_CHANGED
