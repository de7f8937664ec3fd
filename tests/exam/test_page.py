"""What a learner wrote or printed reaches pages and notebooks inert, and the page says what it has to say."""

import base64
import hashlib
import itertools
import re
import shutil
import subprocess
import time
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.exam import clean
from autograder.exam.clean import (
    clean_html,
    clean_markdown,
    inert_markdown,
    plain_verdict,
    sanitise_outputs,
    visible,
)
from autograder.exam.page import POLICY, STYLE, Mark, Sheet, feedback_page
from autograder.exam.records import Cell
from autograder.exercise import Verdict
from autograder.feedback import VERDICT_TYPE, verdict_data

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and more").decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0 and more").decode()
ATTACKS = {
    "script": "<script>alert(1)</script>",
    "handler": "<img src=x onerror=alert(1)>",
    "svg": "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "svg in math": "<math><mtext><table><mglyph><style><img src onerror=alert(1)></style></mglyph></table>",
    "javascript link": "<a href='javascript:alert(1)'>x</a>",
    "broken javascript link": "<a href='java\nscript:alert(1)'>x</a>",
    "data link": "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "link to this server": "<a href='/hub/logout'>x</a>",
    "file": "<img src='file:///etc/passwd'>",
    "remote picture": "<img src='https://e.vil/x.png' srcset='https://e.vil/y.png'>",
    "picture that is none": f"<img src='data:image/png;base64,{base64.b64encode(b'<svg>').decode()}'>",
    "svg picture": "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
    "frame": "<iframe src='https://e.vil'></iframe><object data=x></object><embed src=x>",
    "form": "<form action='https://e.vil'><input name=p><button>x</button></form>",
    "meta": "<meta http-equiv=refresh content='0;https://e.vil'><base href='https://e.vil'>",
    "style": "<style>.total{display:none}</style><link rel=stylesheet href='https://e.vil'>",
    "style attribute": "<b style='position:fixed;inset:0;background:url(https://e.vil)'>x</b>",
    "class and id": "<b class='total hidden' id=score>x</b>",
    "direction": "<bdo dir=rtl>x</bdo><b dir=rtl>x</b>",
    "comment": "<!--><script>alert(1)</script>-->",
    "template": "<template><script>alert(1)</script></template><noscript><p title='</noscript><img src=x>'>",
    "end of page": "</div></main></body></html><script>alert(1)</script>",
}


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def tags(html):
    parser = Tags()
    parser.feed(html)
    parser.close()
    return parser.found


def assert_harmless(html):
    """Only tags and attributes of the allow-list; links lead elsewhere, pictures carry themselves."""
    for tag, attributes in tags(html):
        assert tag in clean._TAG_NAMES.split(), (tag, html)
        for name, value in attributes.items():
            allowed = clean._ATTRIBUTES.get(tag, set()) | ({"rel"} if tag == "a" else set())
            assert name in allowed, (tag, name, html)
            if name == "href":
                assert re.match(r"https?://", value), html
            if name == "src":
                assert re.match(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=]*$", value), html


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_html_leaves_nothing_that_acts(attack):
    assert_harmless(clean_html(ATTACKS[attack]))
    assert_harmless(clean_markdown(f"text\n\n{ATTACKS[attack]}\n\ninline {ATTACKS[attack]} text"))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(sorted(ATTACKS.values())), st.text(max_size=8), st.sampled_from("<>\"'/=`&#;")
        ),
        max_size=12,
    )
)
def test_no_mixture_of_attacks_and_noise_gets_through(parts):
    text = "".join(parts)
    assert_harmless(clean_html(text))
    assert_harmless(clean_markdown(text))
    assert_harmless(
        inert_markdown(clean_markdown(text)).removeprefix('<div class="tex2jax_ignore mathjax_ignore">')
    )


def test_honest_html_keeps_its_tables_pictures_and_links():
    table = "<table border='1' class='dataframe'><thead><tr><th></th><th>a</th></tr></thead></table>"
    assert clean_html(table) == "<table><thead><tr><th></th><th>a</th></tr></thead></table>"
    picture = f'<img src="data:image/png;base64,{PNG}" alt="A face" width="64">'
    assert clean_html(picture) == picture
    assert 'href="https://example.org/a"' in clean_html("<a href='https://example.org/a'>x</a>")


def test_headings_of_a_learner_cannot_pass_for_the_pages():
    assert clean_html("<h1>Score: 100</h1>") == "<h6>Score: 100</h6>"
    assert "<h6>Score" in clean_markdown("# Score: 100")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;https://e.vil\x07link\x1b]8;;\x07", "link"),
        ("10%\r20%\r100%\n", "100%\n"),
        ("one\r\ntwo", "one\ntwo"),
        ("ann\u202egnp.exe", "ann\\u202egnp.exe"),
        ("a\u2066b\u200bc\ufeff", "a\\u2066b\\u200bc\\ufeff"),
        ("bell\x07 nul\x00", "bell\\u0007 nul\\u0000"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\ue0041"),
        ("می‌خواهم 👩‍🔬 é\tx\n", "می‌خواهم 👩‍🔬 é\tx\n"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_its_escape_and_scripts_stay_whole(typed, shown):
    assert visible(typed) == shown


def test_escapes_written_as_entities_do_not_come_back():
    assert "\u202e" not in clean_html("a&#x202e;b <img alt='&#x202e;'>")


def output(data, **more):
    return {"output_type": "display_data", "data": data, "metadata": {}, **more}


def test_only_text_clean_html_png_and_jpeg_are_left_of_outputs():
    kept = sanitise_outputs(
        [
            output({"text/html": "<b onclick=x>hi</b>", "text/plain": "hi", "application/javascript": "x"}),
            output({"image/png": PNG, "image/jpeg": JPEG, "image/svg+xml": "<svg/>", "text/latex": "$x$"}),
            output({"application/javascript": "alert(1)"}),
            output({"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "Slider()"}),
            output({VERDICT_TYPE: {"word": "correct"}, "text/plain": "forged"}),
            {"output_type": "stream", "name": "stderr", "text": ["one\n", "\x1b[31mtwo"]},
            {"output_type": "error", "ename": "E\x1b[0m", "evalue": "v", "traceback": ["\x1b[31ma", "b"]},
            {"output_type": "update_display_data", "data": {"text/plain": "no"}},
            {"output_type": "execute_result", "data": {"text/plain": "4"}, "execution_count": 10**9},
        ]
    )
    assert kept == [
        output({"text/html": "<b>hi</b>", "text/plain": "hi"}),
        output({"image/png": PNG, "image/jpeg": JPEG}),
        output({"text/plain": "[left out: application/javascript]"}),
        output({"text/plain": "Slider()"}),
        output({"text/plain": "forged"}),
        {"output_type": "stream", "name": "stderr", "text": "one\ntwo"},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["a", "b"]},
        {
            "output_type": "execute_result",
            "data": {"text/plain": "4"},
            "metadata": {},
            "execution_count": None,
        },
    ]


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg"])
@pytest.mark.parametrize(
    "data", ["", "!!!!", JPEG[:-3], base64.b64encode(b"GIF89a").decode(), PNG + "<script>"]
)
def test_a_picture_that_is_not_what_it_says_is_left_out(kind, data):
    assert sanitise_outputs([output({kind: data})])[0]["data"] == {"text/plain": f"[left out: {kind}]"}


@pytest.mark.parametrize(
    "outputs",
    [
        [{}],
        [{"output_type": "display_data"}],
        [{"output_type": "display_data", "data": [], "metadata": "x"}],
        [{"output_type": "display_data", "data": {"text/html": {"a": 1}, "image/png": 3}}],
        [{"output_type": "display_data", "data": {"image/png": PNG}, "metadata": {"image/png": {"alt": 3}}}],
        [{"output_type": "stream", "text": None}],
        [{"output_type": "error", "traceback": "one line", "ename": 3}],
        [{"output_type": ["x"], "data": None}],
        [{"output_type": "display_data", "data": {"text/html": "\ud800<b>"}}],
    ],
)
def test_outputs_of_an_odd_form_harm_nobody(outputs):
    import nbformat

    cell = nbformat.v4.new_code_cell(outputs=[nbformat.from_dict(each) for each in sanitise_outputs(outputs)])
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))


def size(outputs):
    return len(repr(outputs))


def test_outputs_are_cut_to_a_size_and_say_so():
    stream = {"output_type": "stream", "name": "stdout", "text": "x" * 700_000}
    kept = sanitise_outputs([stream, stream, stream])
    assert size(kept) < 1_010_000
    assert "left out" in kept[-1]["text"]
    assert len(sanitise_outputs([output({"text/plain": "x"})] * 10_000)) == clean.MAX_OUTPUTS + 1
    big = output({"image/png": PNG[:-4] + "A" * 5_000_000})
    assert size(sanitise_outputs([big] * 5)) < 8_100_000
    html = output({"text/html": "<b>" + "x" * 5_000_000})
    assert size(sanitise_outputs([html] * 5)) < 9_100_000


@pytest.mark.parametrize(
    "html", ["<div>" * 20_000, "<b></p>" * 20_000, "<table>" * 20_000, "<a><div>" * 20_000]
)
def test_nesting_that_would_take_a_cleaner_long_is_not_cleaned(html):
    start = time.perf_counter()
    kept = sanitise_outputs([output({"text/html": html, "text/plain": "x"})] * 20)
    assert time.perf_counter() - start < 2
    assert kept[0]["data"] == {"text/plain": "x"}


@pytest.mark.parametrize("text", ["[" * 10**5, "> " * 10**5, "`a" * 10**5, "- a\n  " * 10**5, "[a](" * 10**5])
def test_markdown_that_would_take_a_renderer_long_is_shown_as_typed(text):
    start = time.perf_counter()
    assert clean_markdown(text).startswith("<pre>")
    assert time.perf_counter() - start < 2


def test_a_stored_text_is_one_block_that_a_renderer_leaves_alone():
    text = "a\n\n    code\n\n$$x^2$$ \\(y\\)\n\n<pre>\n\n![x](http://e.vil)\n\n</pre>"
    stored = inert_markdown(clean_markdown(text))
    assert "\n" not in stored
    assert "$" not in stored
    assert "\\" not in stored
    assert stored.startswith("<div")


def test_a_verdict_keeps_its_look_and_nothing_else():
    verdict = Verdict("mean", "partly right", 2, 4, "`mean` is <low>.", "Why?", ("gaps",))
    data = verdict_data(verdict, "printed")
    kept = sanitise_outputs([output(data)], examiner=True)[0]["data"]
    assert kept[VERDICT_TYPE]["mistakes"] == ["gaps"]
    assert "border-left:" in kept["text/html"].replace(" ", "")
    assert "&lt;low&gt;" in kept["text/html"]
    hostile = "<div style='position:fixed;color:red;background:url(x)' onclick=x><script>x</script></div>"
    kept = sanitise_outputs([output({"text/html": hostile})], examiner=True)[0]["data"]
    assert kept["text/html"].replace(" ", "") == '<divstyle="color:red"></div>'


def test_a_verdict_is_plain_and_finite():
    odd = {
        "word": 3,
        "points": float("nan"),
        "out_of": "9",
        "sentence": "x\u202e" * 9000,
        "mistakes": [1, "a"],
    }
    plain = plain_verdict(odd)
    assert (plain["word"], plain["points"], plain["out_of"], plain["mistakes"]) == ("", 0.0, 0.0, ["a"])
    assert len(plain["sentence"]) <= clean.MAX_SENTENCE
    assert "\u202e" not in plain["sentence"]


EVIL = "<script>alert(1)</script>\u202e"
SHEET = Sheet(
    learner="ann",
    stage="01_small",
    submitted=datetime(2026, 3, 1, 10),
    cells=(
        Cell("p", "prose", "markdown", "# The course's prose"),
        Cell("answer-mean", "answer", "code", "def mean(values):\n    return 1 < 2", "mean"),
        Cell("check-mean", "check", "code", "stage.check('mean', mean)", "mean"),
        Cell("why", "explain", "markdown", "Because.", "why"),
        Cell("extra-1", "extra", "code", "plot()"),
    ),
    outputs={
        "extra-1": sanitise_outputs([output({"image/png": PNG}, metadata={"image/png": {"alt": "A line"}})]),
        "answer-mean": sanitise_outputs([output({"image/jpeg": JPEG})]),
    },
    texts={"why": clean_markdown("Because **it** is.")},
    verdicts={
        "mean": {
            "word": "partly right",
            "points": 2,
            "out_of": 4,
            "sentence": "Gaps count as zeros.",
            "next_step": "What was measured in a gap? `np.nanmean`",
        }
    },
    titles={"mean": "Mean"},
    marks={"check-mean": Mark(2, 4), "why": Mark(0, 3, True), "answer-mean": Mark(comment="Nearly.")},
    penalty=0.5,
    repairs=("A copied check cell was left out.",),
)


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html[html.index("<body>") :]))


def test_the_page_says_everything_a_learner_needs_in_words():
    text = text_of(feedback_page(SHEET))
    for said in (
        "Learner ann",
        "Handed in 2026-03-01 10:00:00 UTC",
        "Points earned 2 of 7",
        "Taken off for being late 0.5",
        "1.5 of 7 points",
        "a person has to look at 1 of your answers",
        "A copied check cell was left out.",
        "Mean ◐ partly right 2 of 4",
        "Partly right · 2 of 4 points Gaps count as zeros. Next: What was measured in a gap? np.nanmean",
        "return 1 &lt; 2",
        "Nearly.",
        "Because it is.",
        "A person still has to look at this.",
    ):
        assert said in text, said
    assert "prose" not in text


def test_every_picture_has_words_and_every_heading_its_level():
    found = tags(feedback_page(SHEET))
    assert [attributes["alt"] for tag, attributes in found if tag == "img"] == [
        "A picture that this cell drew",
        "A line",
    ]
    levels = [int(tag[1]) for tag, _ in found if re.fullmatch("h[1-5]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    assert ("html", {"lang": "en"}) in found


def test_an_unreadable_submission_gets_a_page_with_the_reason():
    text = text_of(feedback_page(replace(SHEET, problem="The file ends in the middle.", marks={}, penalty=0)))
    assert "This submission could not be graded. The file ends in the middle." in text
    assert "Your answer" not in text


def test_names_and_sentences_cannot_add_anything_to_the_page():
    sheet = replace(
        SHEET,
        learner=EVIL,
        stage=EVIL,
        problem="",
        repairs=(EVIL,),
        titles={"mean": EVIL},
        verdicts={"mean": dict.fromkeys(("word", "sentence", "next_step"), EVIL)},
        marks={"check-mean": Mark(0, 4), "answer-mean": Mark(comment=EVIL)},
        cells=tuple(replace(cell, source=EVIL, id=cell.id) for cell in SHEET.cells),
    )
    for page in (feedback_page(sheet), feedback_page(replace(sheet, problem=EVIL))):
        assert "script" not in {tag for tag, _ in tags(page)}
        assert "\u202e" not in page
    assert feedback_page(sheet).count("&lt;script&gt;") >= 8


def test_the_page_loads_and_runs_nothing_by_its_own_policy():
    page = feedback_page(SHEET)
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert POLICY.startswith("default-src 'none'; img-src data:;")
    assert f"style-src 'sha256-{digest}'" in POLICY
    assert f'content="{POLICY}"' in page
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert f"<style>{STYLE}</style>" in page
    for tag, attributes in tags(page):
        assert tag not in ("script", "iframe", "object", "link", "base", "form")
        assert not {name for name in attributes if name.startswith("on") or name == "style"}
        assert attributes.get("src", "data:image/").startswith("data:image/")


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium is installed")
def test_a_real_browser_runs_no_script_even_if_one_slipped_into_the_page(tmp_path):
    """Break the page on purpose: only the policy stands between the script and the title."""
    scripts = "<script>document.title = 'ran'</script><img src=x onerror=\"document.title = 'ran'\">"
    found = {}
    for name, policy in (("kept", POLICY), ("dropped", "")):
        file = tmp_path / f"{name}.html"
        page = feedback_page(SHEET).replace(POLICY, policy).replace("</main>", f"{scripts}</main>")
        file.write_text(page, encoding="utf-8")
        browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
        browser += [f"--user-data-dir={tmp_path / name}", f"file://{file}"]
        done = subprocess.run(browser, capture_output=True, text=True, timeout=120, check=False)
        found[name] = re.search(r"<title>(.*?)</title>", done.stdout)[1]
    assert found == {"kept": "Feedback on 01_small", "dropped": "ran"}
