"""What a learner did in a stage: one event per line, appended, so that a crash loses at most one."""

from __future__ import annotations

import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class Progress:
    """The log of one stage in `folder`; with `remember=False` nothing is read or written."""

    def __init__(self, folder: Path, stage: str, remember: bool = True):
        self._file = folder / f"{stage}.jsonl"
        self._remember = remember
        self._events = _read(self._file) if remember else []
        self.learner_seed = self._seed(folder) if remember else "graded"

    def log(self, event: str, name: str, **facts: Any) -> bool:
        """Append one event; return False when it could not be saved (it still counts for this session)."""
        entry = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "event": event, "name": name}
        self._events.append(entry | facts)
        if not self._remember:
            return True
        try:
            self._file.parent.mkdir(exist_ok=True)
            # A line that a crash cut short must not swallow the next one.
            torn = self._file.exists() and not self._file.read_bytes().endswith(b"\n")
            with self._file.open("a", encoding="utf-8") as file:
                file.write("\n" * torn + json.dumps(entry | facts) + "\n")
        except OSError:
            return False
        return True

    def events(self, event: str, name: str) -> list[dict[str, Any]]:
        """Return the events of one kind about one exercise or prediction, oldest first."""
        return [e for e in self._events if e["event"] == event and e["name"] == name]

    def count(self, event: str, name: str) -> int:
        """Return how often this happened."""
        return len(self.events(event, name))

    def best_points(self, name: str) -> float:
        """Return the most points any check of this exercise earned."""
        return max((float(e.get("points", 0)) for e in self.events("check", name)), default=0.0)

    def best_word(self, name: str) -> str:
        """Return the word of the best verdict on this exercise, the latest of equals, or an empty text."""
        checks = reversed(self.events("check", name))
        return max(checks, key=lambda e: float(e.get("points", 0)), default={"word": ""})["word"]

    def _seed(self, folder: Path) -> str:
        """Return the learner's own seed, drawn once and kept beside the log."""
        file = folder / "seed"
        try:
            return file.read_text(encoding="utf-8").strip() or secrets.token_hex(16)
        except (OSError, UnicodeDecodeError):
            seed = secrets.token_hex(16)
        try:
            folder.mkdir(exist_ok=True)
            aside = file.with_suffix(f".{os.getpid()}")
            aside.write_text(seed, encoding="utf-8")
            aside.replace(file)
        except OSError:
            pass  # A seed of this session alone still gives fresh data.
        return seed


def _read(file: Path) -> list[dict[str, Any]]:
    """Read the log; lines that a crash left unreadable are skipped."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    events = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and {"event", "name"} <= entry.keys():
            events.append(entry)
    return events
