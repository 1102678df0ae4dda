"""English designs: a news article, a blog, a forum thread, a manual, a listing with cards, a WordPress-like post."""

from __future__ import annotations

from typing import Final

from tests.doubles.web.hosts.designs.design import Design
from tests.doubles.web.markup import Element, a, el, heading, items, noise, rows, text
from tests.doubles.web.page import PageNumbers
from tests.doubles.web.words import english

THREAD_PAGES: Final = 4
THREAD_STEP: Final = 20
_COPYRIGHT: Final = "All words on this site are made up, and nobody reserves any rights to them."


def news() -> Design:
    """HTML5 with a lead, a figure, a table, sections, and a column of other stories."""
    first, second, third = english(4, "news", 1), english(4, "news", 2), english(3, "news", 3)
    article = el(
        "article",
        heading(1, "Harbour bells are rung by hand again"),
        el("p", "By Ada Quill, ", el("time", "3 March 2025", datetime="2025-03-03")),
        *(text(sentence) for sentence in first),
        el("figure", el("img", src="/bells.png", alt="Bells"), el("figcaption", "The bells at low tide.")),
        el("section", heading(2, "A long silence"), *(text(sentence) for sentence in second), role="section"),
        el(
            "section",
            heading(2, "Bells by the numbers"),
            rows(("Bell", "Weight", "Cast in"), ("Great Tom", "812 kg", "1702"), ("Little Ann", "97 kg", "1881")),
            *(text(sentence) for sentence in third),
            role="section",
        ),
        role="article",
    )
    body = el(
        "body",
        el("header", el("p", a("/", "The Harbour Ledger")), _menu("/news/world", "/news/town", "/news/weather"),
           role="header"),
        el("main", article, role="main"),
        el("aside", heading(2, "Most read"), items(*(a(f"/news/story-{n}", f"Story number {n}") for n in range(1, 5))),
           noise("Subscribe to our letter and hear from us every Friday."), role="aside"),
        el("footer", noise(_COPYRIGHT), items(a("/about", "About"), a("/contact", "Contact")), role="footer"),
    )  # fmt: skip
    head = '<meta name="author" content="Ada Quill"><meta property="article:published_time" content="2025-03-03">'
    return Design(name="news", path="/news/bells", title="Harbour bells are rung by hand again", language="en",
                  body=body, head=head, description="The bells of the harbour.", published="2025-03-03",
                  author="Ada Quill")  # fmt: skip


def _menu(*targets: str) -> Element:
    return el("nav", items(*(a(target, target.rpartition("/")[2].capitalize()) for target in targets)), role="nav")


def blog(page: int = 2) -> Design:
    """Semantic HTML5: several posts in a page, each with a header and a footer, and older and newer pages."""
    total = 7
    posts = [_post(page, place) for place in range(1, 4)]
    turns = [a(blog_path(number), str(number)) for number in range(1, total + 1) if number != page]
    turns.insert(page - 1, el("span", str(page), aria_current="page"))
    if page > 1:
        turns.insert(0, a(blog_path(page - 1), "Newer", rel="prev"))
    if page < total:
        turns.append(a(blog_path(page + 1), "Older", rel="next"))
    body = el(
        "body",
        el("header", heading(1, "Notes from the ferry"), _menu("/blog/about", "/blog/archive"), role="header"),
        el("main", *posts, el("nav", *turns, role="nav", aria_label="Pages"), role="main"),
        el("aside", heading(2, "Tags"), items(a("/blog/tag/rope", "rope"), a("/blog/tag/salt", "salt")), role="aside"),
        el("footer", noise(_COPYRIGHT), role="footer"),
    )
    numbers = PageNumbers(pattern="/blog/page/{page}", kind="path", current=page, total=total)
    return Design(name="blog", path=blog_path(page), title="Notes from the ferry", language="en", body=body,
                  numbers=numbers)  # fmt: skip


def blog_path(page: int) -> str:
    """The blog's first page has no number."""
    return "/blog" if page == 1 else f"/blog/page/{page}"


def _post(page: int, place: int) -> Element:
    title = english(1, "post", page, place)[0].rstrip(".")
    return el(
        "article",
        el("header", heading(2, title), el("p", "Posted at the pier"), role="header"),
        *(text(sentence) for sentence in english(5, "blog", page, place)),
        el("footer", a(f"/blog/post/{page}-{place}", "Read the whole post"), role="footer"),
        role="article",
    )


def forum(page: int = 1) -> Design:
    """A thread: divs with classes, every post an element with the ARIA role of an article."""
    replies = [
        el(
            "div",
            el("div", el("span", f"sailor-{page}{number}", class_="who"), " wrote:", class_="by"),
            *(text(sentence, tag="div", class_="words") for sentence in english(2, "forum", page, number)),
            class_="reply", role="article",
        )
        for number in range(1, 6)
    ]  # fmt: skip
    replies = [_with_attribute(reply, 'role="article"') for reply in replies]
    pages = [a(forum_path(n), str(n)) if n != page else el("b", str(n)) for n in range(1, THREAD_PAGES + 1)]
    body = el(
        "body",
        el("div", el("strong", "Knots and Ropes"), el("div", items(a("/forum", "Forum"),
           a("/forum/rules", "Rules")), class_="menu", role="nav"), id="header", role="header"),
        el("div", heading(1, "Which knot for a wet rope?"), *replies,
           _with_attribute(el("div", *pages, role="nav"), 'class="pagination"'), id="main", role="main"),
        el("div", noise("You must be logged in to answer."), noise(_COPYRIGHT), id="footer", role="footer"),
    )  # fmt: skip
    numbers = PageNumbers(pattern="/forum/thread/9?start={page}", kind="offset", current=page, total=THREAD_PAGES,
                          start=0, step=THREAD_STEP)  # fmt: skip
    return Design(name="forum", path=forum_path(page), title="Which knot for a wet rope?", language="en",
                  body=body, numbers=numbers)  # fmt: skip


def forum_path(page: int) -> str:
    """The thread counts posts, not pages."""
    return f"/forum/thread/9?start={(page - 1) * THREAD_STEP}"


def _with_attribute(element: Element, attribute: str) -> Element:
    return Element(
        tag=element.tag,
        attributes=f"{element.attributes} {attribute}",
        children=element.children,
        role=element.role,
        said=element.said,
        kind=element.kind,
    )


def manual() -> Design:
    """Documentation: a nested list of contents at the side, headings of three levels, code, before and after."""
    contents = items(
        el(
            "li", a("/manual/start", "Start"), items(a("/manual/install", "Install"), a("/manual/first", "First steps"))
        ),
        el("li", a("/manual/ropes", "Ropes"), items(a("/manual/splice", "Splicing"))),
    )
    one, two, three = english(3, "manual", 1), english(2, "manual", 2), english(3, "manual", 3)
    article = el(
        "article",
        heading(1, "Splicing a rope"),
        *(text(sentence) for sentence in one),
        heading(2, "What you need", id="need"),
        items("Two ropes of one thickness", "A marlinspike", "Twine"),
        heading(2, "The steps", id="steps"),
        *(text(sentence) for sentence in two),
        heading(3, "Opening the strands"),
        el("pre", el("code", "splice --strands 3 --turns 5")),
        *(text(sentence) for sentence in three),
        role="article",
    )
    body = el(
        "body",
        el("header", el("span", "ropeworks 2.1"), role="header"),
        el("div", el("nav", contents, role="nav", class_="toc", aria_label="Contents"),
           el("main", article, el("nav", a("/manual/first", "First steps", rel="prev"), a("/manual/knots", "Knots",
              rel="next"), role="nav", class_="turn"), role="main"), class_="columns"),
        el("footer", noise("Built from the sources of the ropeworks manual."), role="footer"),
    )  # fmt: skip
    return Design(name="manual", path="/manual/splice", title="Splicing a rope - ropeworks", language="en", body=body)


def cards(page: int = 3) -> Design:
    """A listing: cards in a list, and a window of page numbers with the last one."""
    total = 12
    shown = [
        el(
            "article",
            heading(3, english(1, "card", page, number)[0].rstrip(".")),
            el("p", f"from {number * 7} crowns"),
            a(f"/cards/item/{page}-{number}", "See it"),
            role="article", class_="card",
        )
        for number in range(1, 7)
    ]  # fmt: skip
    window = [n for n in range(page - 2, page + 3) if 1 <= n <= total]
    turns: list[Element | str] = [
        a(f"/cards?sort=new&page={n}", str(n)) if n != page else el("em", str(n)) for n in window
    ]
    turns += ["…", a(f"/cards?sort=new&page={total}", str(total))] if total not in window else []
    body = el(
        "body",
        el("header", a("/", "Pier Market"), role="header"),
        el("main", el("section", heading(1, "Everything for the boat"), items(*shown, class_="grid"), role="section"),
           el("nav", *turns, role="nav", aria_label="pagination"), role="main"),
        el("footer", noise(_COPYRIGHT), role="footer"),
    )  # fmt: skip
    numbers = PageNumbers(pattern="/cards?sort=new&page={page}", kind="query", current=page, total=total)
    return Design(name="cards", path=f"/cards?sort=new&page={page}", title="Everything for the boat", language="en",
                  body=body, numbers=numbers)  # fmt: skip


def press() -> Design:
    """As themes of a well-known blog software are written: tags and classes, widgets, comments."""
    title = "How we weighed the river"
    comments = el(
        "div",
        heading(2, "2 thoughts on weighing"),
        items(*(el("li", noise(sentence)) for sentence in english(2, "press comment")), tag="ol",
              class_="comment-list"),
        id="comments", class_="comments-area",
    )  # fmt: skip
    article = el(
        "article",
        el("header", heading(1, title, class_="entry-title"), class_="entry-header", role="header"),
        el("div", *(text(sentence) for sentence in english(9, "press")), class_="entry-content"),
        el("footer", el("span", "Posted in "), a("/press/category/rivers", "Rivers"), class_="entry-footer",
           role="footer"),
        role="article", id="post-41", class_="post-41 post type-post hentry",
    )  # fmt: skip
    widgets = el(
        "aside",
        el("section", heading(2, "Recent posts", class_="widget-title"),
           items(a("/press/a", "Ropes for beginners"), a("/press/b", "Salt, and why")), class_="widget",
           role="section"),
        el("section", heading(2, "Archives", class_="widget-title"), items(a("/press/2025/03", "March 2025")),
           class_="widget", role="section"),
        id="secondary", class_="widget-area", role="aside",
    )  # fmt: skip
    header = el(
        "header",
        el("p", a("/press", "River Press"), class_="site-title"),
        el("nav", items(a("/press/home", "Home"), a("/press/about", "About")), id="site-navigation", role="nav"),
        id="masthead", class_="site-header", role="header",
    )  # fmt: skip
    body = el(
        "body",
        el("div", header,
           el("div", el("div", el("main", article, comments, id="main", role="main"), id="primary"), widgets,
              id="content"),
           el("footer", noise("Proudly made of nothing but invented words."), id="colophon", role="footer"),
           id="page", class_="site"),
    )  # fmt: skip
    return Design(name="press", path="/press/weighing", title=f"{title} - River Press", language="en", body=body)
