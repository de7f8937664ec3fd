"""What stands in for the package `autograder` behind the wall: notebooks find a `Stage`, and nothing to read.

The examiner reads the check cells of the course itself, so nothing here needs to answer anything.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Stage"]


class Stage:
    """Takes every call that a notebook makes, and does nothing."""

    def __init__(self, name: str):
        self.name = name

    def check(self, name: str, *answers: Any) -> None:
        """Do nothing: in an exam the course's own check cells count."""

    def hint(self, name: str) -> None:
        """Say that there are no hints."""
        print("There are no hints in an exam.")

    def solution(self, name: str, anyway: bool = False) -> None:
        """Say that there are no solutions."""
        print("There are no solutions in an exam.")

    def predict(self, name: str, question: str, options: list[str]) -> None:
        """Do nothing: predictions are not graded."""

    def reveal(self, name: str, truth: str) -> None:
        """Do nothing: predictions are not graded."""

    def progress(self) -> None:
        """Do nothing: the feedback page shows the points."""
