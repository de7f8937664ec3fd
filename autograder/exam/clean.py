"""Makes a stranger's outputs and texts inert, for the autograded notebook and the learner's page.

Nothing that a learner made goes on as it came: texts lose their control characters, HTML passes an allow-list
(no script, style, class, id, remote picture), pictures are PNG or JPEG or nothing, and all of it has a limit.
"""

from __future__ import annotations

import base64
import binascii
import functools
import math
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autograder.feedback import VERDICT_TYPE

MAX_OUTPUTS = 200
MAX_TEXT = 1_000_000  # characters of text in one cell's outputs
MAX_PICTURES = 8_000_000  # base64 characters of pictures in one cell's outputs
MAX_TAGS = 6_000  # in one cell's outputs: cleaning takes time that grows with the square of the nesting
MAX_MARKDOWN = 20_000  # characters; longer text is shown as it was typed
MAX_SENTENCE = 4_000

PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}

_TAG_NAMES = """
a abbr b blockquote br caption code dd del div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd
li ol p pre q s samp small span strong sub sup table tbody td tfoot th thead tr u ul var
"""
_ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
# What the examiner's own verdict looks like; nothing in it can move or hide a thing.
_EXAMINER_ATTRIBUTES = _ATTRIBUTES | {"div": {"style", "role"}, "b": {"style"}, "pre": {"style"}}
_EXAMINER_STYLE = {"border-left", "padding", "max-width", "color", "margin", "opacity"}

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_OVERWRITTEN = re.compile(r"^[^\n]*\r(?=[^\r\n])", re.MULTILINE)
# Control characters, marks that change the direction of text, and characters that cannot be seen. Joiners
# (U+200C, U+200D) stay: Persian, Hindi and emoji need them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """Return text without ANSI codes, with every control, bidi and invisible character as its escape."""
    text = _ANSI.sub("", text.replace("\r\n", "\n"))
    text = _OVERWRITTEN.sub("", text).replace("\r", "")
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def clean_html(html: str, examiner: bool = False) -> str:
    """Return HTML reduced to an allow-list of tags; `examiner` keeps the look of a verdict."""
    import nh3

    cleaned = nh3.clean(
        html.encode("utf-8", "replace").decode(),
        tags=set(_TAG_NAMES.split()),
        attributes=_EXAMINER_ATTRIBUTES if examiner else _ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "data"},
        filter_style_properties=_EXAMINER_STYLE,
    )
    # Nobody's output may pass for a heading of the page around it.
    return visible(re.sub(r"<(/?)h[1-6]>", r"<\1h6>", cleaned))


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Let through absolute links, pictures that carry themselves, and small numbers."""
    if name == "href":
        return value if re.match(r"https?://", value) else None
    if name == "src":
        found = re.fullmatch(r"data:(image/(?:png|jpeg));base64,(.*)", value, re.DOTALL)
        data = _picture(found[1], found[2]) if found else None
        return f"data:{found[1]};base64,{data}" if data else None
    if name in ("width", "height", "colspan", "rowspan", "start"):
        return value if re.fullmatch(r"\d{1,4}", value) else None
    return value


def _picture(kind: str, data: str) -> str | None:
    """Return a picture's base64 text without white space, or None if it is not what it says it is."""
    data = "".join(data.split())
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if content.startswith(PICTURES[kind]) else None


def clean_markdown(source: str, render: bool = True) -> str:
    """Return markdown as inert HTML; what is too long or cannot be rendered stays as it was typed."""
    typed = f"<pre>{escape(visible(source))}</pre>"
    if not render or len(source) > MAX_MARKDOWN:
        return typed
    try:
        return clean_html(_markdown()(source))
    except Exception:
        # A renderer that a stranger's text confuses must cost nobody a grade.
        return typed


@functools.cache
def _markdown() -> Any:
    import mistune

    return mistune.create_markdown(escape=False, plugins=["table", "strikethrough"])


def inert_markdown(html: str) -> str:
    """Return clean HTML as a markdown cell's source that every renderer leaves as it is.

    One line, so that no blank line ends the HTML block; no character that could start a formula.
    """
    line = html.replace("\n", "&#10;").replace("$", "&#36;").replace("\\", "&#92;")
    return f'<div class="tex2jax_ignore mathjax_ignore">{line}</div>'


def sanitise_outputs(
    outputs: Sequence[Mapping[str, Any]], examiner: bool = False, html: bool = True
) -> list[dict[str, Any]]:
    """Return a cell's notebook outputs with only plain text, clean HTML, PNG and JPEG left, and limits kept.

    examiner: the outputs are a check cell's, so the verdict and its look stay.
    html: False leaves all HTML out; used where there is so much that cleaning it would hold others up.
    """
    sieve = _Sieve(examiner, html)
    kept = [sieve.output(output) for output in outputs[:MAX_OUTPUTS]]
    kept = [output for output in kept if output is not None]
    if sieve.full or len(outputs) > MAX_OUTPUTS:
        kept.append(
            {"output_type": "stream", "name": "stdout", "text": "[the rest of the output is left out]"}
        )
    return kept


class _Sieve:
    """Cleans the outputs of one cell, one after the other, until its allowances are used up."""

    def __init__(self, examiner: bool, html: bool):
        self.examiner = examiner
        self.text_left, self.pictures_left = MAX_TEXT, MAX_PICTURES
        self.tags_left = MAX_TAGS if html else 0
        self.full = False

    def output(self, output: Mapping[str, Any]) -> dict[str, Any] | None:
        kind = output.get("output_type")
        if kind == "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            text = self._text(output.get("text", ""))
            return {"output_type": "stream", "name": name, "text": text} if text else None
        if kind == "error":
            trace = output.get("traceback", ())
            lines = trace if isinstance(trace, (list, tuple)) else (trace,)
            return {
                "output_type": "error",
                "ename": self._text(output.get("ename", ""))[:MAX_SENTENCE],
                "evalue": self._text(output.get("evalue", ""))[:MAX_SENTENCE],
                "traceback": self._text("\n".join(map(_joined, lines))).split("\n"),
            }
        if kind not in ("display_data", "execute_result"):
            return None
        data, about = self._data(output)
        cleaned = {"output_type": kind, "data": data, "metadata": about}
        return cleaned | {"execution_count": None} if kind == "execute_result" else cleaned

    def _text(self, text: Any) -> str:
        text = _joined(text)
        if len(text) > self.text_left:
            self.full = True
        text = visible(text[: self.text_left])
        self.text_left = max(0, self.text_left - len(text))
        return text

    def _data(self, output: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        given = output.get("data") if isinstance(output.get("data"), Mapping) else {}
        about = output.get("metadata") if isinstance(output.get("metadata"), Mapping) else {}
        data: dict[str, Any] = {}
        notes: dict[str, Any] = {}
        if "text/html" in given and (html := self._html(_joined(given["text/html"]))):
            data["text/html"] = html
        for kind in PICTURES:
            if kind in given and (picture := self._take_picture(kind, _joined(given[kind]))):
                data[kind] = picture
                alt = about.get(kind, {}).get("alt") if isinstance(about.get(kind), Mapping) else None
                if isinstance(alt, str):
                    notes[kind] = {"alt": visible(alt)[:MAX_SENTENCE]}
        if "text/plain" in given:
            data["text/plain"] = self._text(given["text/plain"])
        if self.examiner and isinstance(given.get(VERDICT_TYPE), Mapping):
            data[VERDICT_TYPE] = plain_verdict(given[VERDICT_TYPE])
        if not data:
            names = ", ".join(visible(str(kind))[:80] for kind in list(given)[:5]) or "nothing"
            data["text/plain"] = f"[left out: {names}]"
        return data, notes

    def _html(self, html: str) -> str:
        tags = html.count("<")
        if tags > self.tags_left or len(html) > self.text_left + self.pictures_left:
            return ""
        self.tags_left -= tags
        cleaned = clean_html(html, self.examiner)
        if len(cleaned) > self.text_left + self.pictures_left:
            return ""
        self.pictures_left -= len(cleaned)
        return cleaned

    def _take_picture(self, kind: str, data: str) -> str | None:
        if len(data) > self.pictures_left:
            self.full = True
            return None
        self.pictures_left -= len(data)
        return _picture(kind, data)


def _joined(text: Any) -> str:
    """Return notebook text, which may be a list of lines, as one text."""
    if isinstance(text, (list, tuple)):
        return "".join(part for part in text if isinstance(part, str))
    return text if isinstance(text, str) else ""


def plain_verdict(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """Return a verdict as a dict whose texts are readable and short and whose numbers are finite."""

    def text(key: str) -> str:
        return visible(_joined(verdict.get(key, "")))[:MAX_SENTENCE]

    def number(key: str) -> float:
        value = verdict.get(key, 0.0)
        good = isinstance(value, (int, float)) and math.isfinite(value)
        return float(value) if good else 0.0

    mistakes = verdict.get("mistakes", ())
    names = mistakes if isinstance(mistakes, (list, tuple)) else ()
    return {
        "exercise": text("exercise"),
        "word": text("word"),
        "points": number("points"),
        "out_of": number("out_of"),
        "sentence": text("sentence"),
        "next_step": text("next_step"),
        "mistakes": [visible(name)[:200] for name in names[:50] if isinstance(name, str)],
        "seconds": number("seconds"),
    }
