from crawl_worker.sites.naver.rows import Progress
from nightjar.domain.target import BlogTarget, CafeTarget

POST = BlogTarget(blog_id="nj_lamp", log_no="223400000001")
OTHER = BlogTarget(blog_id="nj_reed", log_no="223400000002")


def blogs(first: int, last: int) -> list[str | None]:
    return [f"blog:nj/{number}" for number in range(first, last + 1)]


def test_reading_goes_on_until_the_depth_of_rows_that_count() -> None:
    progress = Progress([], 60)
    progress.add(blogs(1, 30))
    progress.add(blogs(29, 58))
    assert not progress.is_enough()
    progress.add(blogs(59, 70))
    assert progress.is_enough()
    assert list(progress.reading().rows) == blogs(1, 60)


def test_reading_may_stop_once_every_target_was_met() -> None:
    progress = Progress([POST, OTHER], 100)
    progress.add([*blogs(1, 5), "blog:nj_lamp/223400000001"])
    assert not progress.is_enough()
    progress.add(["blog:nj_reed/223400000002"])
    assert progress.is_enough()


def test_nothing_wanted_is_never_enough_by_itself() -> None:
    progress = Progress([], 100)
    progress.add(blogs(1, 5))
    assert not progress.is_enough()


def test_a_target_beyond_the_depth_was_not_met() -> None:
    progress = Progress([POST], 3)
    progress.add([*blogs(1, 3), "blog:nj_lamp/223400000001"])
    assert list(progress.reading().rows) == blogs(1, 3)


def test_a_page_of_known_rows_alone_is_noticed() -> None:
    progress = Progress([], 100)
    assert progress.add(blogs(1, 3))
    assert not progress.add(blogs(2, 3))
    assert progress.add([None])


def test_a_row_by_slug_meets_a_target_by_number_once_the_cafe_is_known() -> None:
    progress = Progress([CafeTarget(article_id="11", club_id="20000001")], 100)
    progress.add(["cafe:njmoss/11"])
    assert not progress.is_enough()
    progress.note_cafe("njmoss", "20000001")
    assert progress.is_enough()
    assert progress.reading().same_cafe == {"njmoss": "20000001"}


def test_a_row_by_number_gets_the_slug_of_its_cafe_once_that_is_known() -> None:
    progress = Progress([CafeTarget(article_id="11", slug="njmoss")], 100)
    progress.add(["club:20000001/11", "cafe:njmoss/11"])
    progress.note_cafe("njmoss", "20000001")
    assert progress.reading().rows == ("cafe:njmoss/11",)
    assert progress.is_enough()


def test_a_cafe_that_does_not_exist_is_known_as_such() -> None:
    progress = Progress([], 100)
    progress.note_cafe("nosuch", None)
    assert progress.knows_cafe("nosuch")
    assert progress.reading().same_cafe == {}
