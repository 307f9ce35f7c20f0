"""The pages' Markdown, beside what markdown-it-py makes of it."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.docs.pages import ROOT, anchors
from train.tools import markdown

ORACLE = MarkdownIt("commonmark", {"html": False}).enable("table")
DOCS = sorted((ROOT / "docs").glob("*.md"))


class Tree(HTMLParser):
    """What a page says and how it is built: tags, what they hang on, and text without regard to its spaces."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list = []
        self.code = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.code = self.code or tag == "pre"
        kept = {name: value for name, value in attrs if name in ("href", "src", "alt", "start", "style")}
        self.found.append((tag, kept))

    def handle_endtag(self, tag):
        self.code = self.code and tag != "pre"
        if tag != "img":
            self.found.append("/" + tag)

    def handle_data(self, data):
        data = data if self.code else re.sub(r"\s+", " ", data)
        if data.strip():
            self.found.append(data.rstrip() if self.code else data.strip())


def same(text: str) -> None:
    assert Tree(markdown.page(text).body).found == Tree(ORACLE.render(text)).found


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_page_is_what_the_oracle_makes_of_it(page):
    text = page.read_text("utf-8")
    same(text)
    assert markdown.page(text).anchors.keys() == anchors(page)


@pytest.mark.parametrize(
    "text",
    [
        "a\n- b\n  - c\n    d\n- e",
        "- a\n\n- b",
        "- a\n\n  b\n- c",
        "- a\n  - b\n\n  - c\n- d",
        "1. a\n2. b\nlazy\n\n3) c",
        "7. a\n8. b",
        "a\n7. no list",
        "a\n1. list",
        "* a\n- b\n+ c",
        "| a | b |\n|:-:|--:|\n| `c\\|d` | e | f |\n| g |\n\nafter",
        "| | |\n|---|---|\n| **a** | b |",
        "text\n| a |\n|---|\n| b |\n> quote",
        "> a\n> - b\n>\n> c\n\nd",
        "    code <b>\n\n    *more*\n\ntext",
        "```sh\n# no heading\n\n  *code*\n```\ntext",
        "a `b *c* <d>` *e `f` g* **h *i* j** \\*k\\* `` ` ``",
        "2 * 3 * 4, a ** b, *a * b*",
        "[*a* `b`](c.md#d) ![e f](g.png) **[h](i)** [no link] [no](a link)",
        "<script>alert(1)</script> & <b> \"c\" 'd'",
        "# a *b* [c](d)\n## e #\n####### f\n#g",
    ],
)
def test_what_the_pages_use(text):
    same(text)


WORDS = st.text("abcXYZ 019.,'\"&<>-()", min_size=1, max_size=12).map(lambda word: "w" + word.strip() + "w")
SPANS = st.one_of(
    WORDS,
    WORDS.map("*{}*".format),
    WORDS.map("**{}**".format),
    WORDS.map("`{}`".format),
    WORDS.map("[{}](a.md#b)".format),
    WORDS.map("[*{}*](https://a.b/c)".format),
    WORDS.map("![{}](p.png)".format),
)
TEXTS = st.lists(SPANS, min_size=1, max_size=5).map(" ".join)
PARAGRAPHS = st.lists(TEXTS, min_size=1, max_size=3).map("\n".join)


@st.composite
def lists(draw):
    mark = draw(st.sampled_from(["-", "*", "1.", "10."]))
    gap = draw(st.sampled_from(["\n", "\n\n"]))
    items = []
    for text in draw(st.lists(PARAGRAPHS, min_size=1, max_size=3)):
        if draw(st.booleans()):
            text += "\n" + "\n".join(f"- {inner}" for inner in draw(st.lists(TEXTS, min_size=1, max_size=3)))
        items.append(f"{mark} " + text.replace("\n", "\n" + " " * (len(mark) + 1)))
    return gap.join(items)


@st.composite
def tables(draw):
    rows = draw(st.lists(st.lists(TEXTS, min_size=2, max_size=2), min_size=1, max_size=3))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|---|---|", *lines[1:]])


BLOCKS = st.one_of(
    PARAGRAPHS,
    TEXTS.map("## {}".format),
    PARAGRAPHS.map(lambda text: "> " + text.replace("\n", "\n> ")),
    PARAGRAPHS.map("```\n{}\n```".format),
    PARAGRAPHS.map(lambda text: "    " + text.replace("\n", "\n    ")),
    lists(),
    tables(),
)


@settings(max_examples=100)
@given(st.lists(BLOCKS, min_size=1, max_size=4).map("\n\n".join))
def test_any_page_of_such_parts(text):
    same(text)


@settings(max_examples=100)
@given(st.text("ab \n*`[]()!#>|-\\<&1.\0", max_size=60))
def test_any_text_is_html_that_ends_what_it_begins(text):
    """Nothing of it becomes a tag or an attribute of its own."""
    tags = Tree(markdown.page(text).body).found
    waiting: list[str] = []
    for tag in tags:
        if isinstance(tag, tuple) and tag[0] != "img":
            waiting.append(tag[0])
        elif isinstance(tag, str) and tag.startswith("/") and waiting and tag == "/" + waiting[-1]:
            waiting.pop()
    assert not [tag for tag in waiting if tag in ("script", "b", "a")], tags
