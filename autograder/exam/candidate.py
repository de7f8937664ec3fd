"""The learner's side of the wall: an IPython shell that runs cells and answers calls.

Everything here shares a process with the learner's code and is worth no trust: what it sends is a claim,
which the examiner reads as data. It knows the plain form of values and the wire, and nothing of exercises.
"""

from __future__ import annotations

import io
import os
import sys
import time
from typing import Any

from autograder import plain
from autograder.exam.limits import Limits
from autograder.exam.wire import Channel, Lost
from autograder.explain import explain_error, shorten

_ABSENT = object()
_PRINTED = 2000
_MOST_ITEMS = 1000
_IDLE_SECONDS = 3600.0


class Outputs:
    """What the current cell shows, as notebook outputs, capped in bytes while it comes in."""

    def __init__(self, limits: Limits):
        self._limits = limits
        self._total = 0
        self.start()

    def start(self) -> None:
        """Begin with a new cell."""
        self.items: list[dict[str, Any]] = []
        self._size = 0

    def stream(self, name: str, text: str) -> None:
        """Add printed text, joining it with what was printed just before."""
        text = self._fitting(text)
        if not text:
            return
        last = self.items[-1] if self.items else {}
        if last.get("output_type") == "stream" and last["name"] == name:
            last["text"].append(text)
        elif len(self.items) < _MOST_ITEMS:
            self.items.append({"output_type": "stream", "name": name, "text": [text]})

    def data(self, kind: str, data: dict[str, Any]) -> None:
        """Add something displayed; only texts are kept."""
        kept = {str(mime): self._fitting(value) for mime, value in data.items() if isinstance(value, str)}
        # A picture that was cut is none.
        kept = {mime: value for mime, value in kept.items() if value and len(value) == len(data[mime])}
        if kept and len(self.items) < _MOST_ITEMS:
            self.items.append({"output_type": kind, "data": kept, "metadata": {}})

    def error(self, name: str, value: str, lines: list[str]) -> None:
        """Add an exception as the notebook shows it."""
        text = self._fitting("\n".join(lines))
        self.items.append(
            {
                "output_type": "error",
                "ename": name[:200],
                "evalue": shorten(value, 500),
                "traceback": text.split("\n"),
            }
        )

    def take(self) -> list[dict[str, Any]]:
        """Return what was collected, streams as single texts."""
        for item in self.items:
            if item["output_type"] == "stream":
                item["text"] = "".join(item["text"])
        return self.items

    def printed(self) -> str:
        """Return what was printed, cut to what a verdict has room for."""
        texts = (item["text"] for item in self.items if item["output_type"] == "stream")
        return "".join("".join(text) for text in texts)[:_PRINTED]

    def _fitting(self, text: str) -> str:
        """Return as much of a text as there is room for, and a word about the rest."""
        room = min(self._limits.cell_output - self._size, self._limits.exam_output - self._total)
        if room <= 0:
            return ""
        cut = text[:room]
        self._size += len(cut)
        self._total += len(cut)
        note = "\n... more was printed than is kept.\n" if self._size >= self._limits.cell_output else ""
        return cut.encode("utf-8", "replace").decode("utf-8") + note


class _Stream(io.TextIOBase):
    """sys.stdout and sys.stderr for the learner's code."""

    encoding = "utf-8"

    def __init__(self, outputs: Outputs, name: str):
        self._outputs = outputs
        self.name = name

    def write(self, text: str) -> int:
        self._outputs.stream(self.name, str(text))
        return len(text)

    def writable(self) -> bool:
        return True


def make_shell(outputs: Outputs) -> Any:
    """Return an IPython shell whose output goes to `outputs`; made once, in the warm parent."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets import Type
    from traitlets.config import Config

    class Publisher(DisplayPublisher):
        def publish(self, data: dict, metadata: dict | None = None, **_: Any) -> None:
            outputs.data("display_data", data)

        def clear_output(self, wait: bool = False) -> None:
            outputs.items.clear()

    class Hook(DisplayHook):
        def write_output_prompt(self) -> None:
            """Show no prompt."""

        def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
            outputs.data("execute_result", format_dict)

        def finish_displayhook(self) -> None:
            """Print no line after a result."""

    class Shell(InteractiveShell):
        display_pub_class = Type(Publisher)
        displayhook_class = Type(Hook)

        def enable_gui(self, gui: str | None = None) -> None:
            """Do without windows."""

        def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
            outputs.error(etype.__name__, str(evalue), list(stb))

    config = Config()
    # Its thread would not survive a fork, and nobody looks back.
    config.HistoryManager.enabled = False
    shell = Shell.instance(config=config, user_ns={})
    shell.enable_matplotlib("inline")
    return shell


def serve(descriptor: int, shell: Any, outputs: Outputs, limits: Limits) -> None:
    """Do what the examiner asks until it hangs up."""
    channel = Channel.of(descriptor, limits.message)
    sys.stdout, sys.stderr = _Stream(outputs, "stdout"), _Stream(outputs, "stderr")
    sys.stdin = io.StringIO()
    channel.send({"ready": True})
    while True:
        try:
            request = channel.receive(_IDLE_SECONDS)
            channel.send(_answer(request, shell, outputs))
        except Lost:
            os._exit(0)


def _answer(request: dict[str, Any], shell: Any, outputs: Outputs) -> dict[str, Any]:
    outputs.start()
    start = time.process_time()
    try:
        if request["do"] == "run":
            result = shell.run_cell(request["source"], store_history=False)
            reply: dict[str, Any] = {"outputs": outputs.take(), "good": bool(result.success)}
        elif request["do"] == "find":
            reply = _find(shell.user_ns, request["name"], request["function"])
        else:
            reply = _call(shell.user_ns, request["name"], request["inputs"])
            reply["printed"] = outputs.printed()
    except BaseException as error:
        reply = {"raised": explain_error(error), "printed": ""}
    return reply | {"cpu": time.process_time() - start}


def _find(names: dict[str, Any], name: str, function: bool) -> dict[str, Any]:
    """Tell what a name is bound to: a function stays here, a value is sent."""
    value = names.get(name, _ABSENT)
    if value is _ABSENT:
        return {"kind": "absent"}
    if function and callable(value):
        return {"kind": "function"}
    if function and value is not None and value is not ...:
        return {"kind": "other", "type": type(value).__name__[:100]}
    try:
        return {"kind": "value", "value": plain.encode(value)}
    except plain.NotPlain as error:
        return {"kind": "unreadable", "why": str(error)}


def _call(names: dict[str, Any], name: str, inputs: bytes) -> dict[str, Any]:
    """Call the learner's function with plain inputs and return its output as plain data."""
    given = plain.decode(inputs, recipes=True)
    try:
        output = names[name](*given)
    except BaseException as error:
        return {"raised": explain_error(error)}
    try:
        return {"value": plain.encode(output)}
    except plain.NotPlain as error:
        return {"unreadable": str(error)}
