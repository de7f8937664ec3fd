"""Predictions: a learner commits to an answer before seeing it, and is shown both later."""

from __future__ import annotations

from autograder.feedback import show_html
from autograder.progress import Progress


def ask(progress: Progress, name: str, question: str, options: list[str]) -> None:
    """Show the question with one button per option and log each choice; plain text where no widget runs."""
    if len(options) < 2:
        raise ValueError(f"options: a prediction needs at least two options, not {options!r}")
    text = f"Your prediction: {question}  ({' / '.join(options)})"
    try:
        import ipywidgets
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        print(text)
        return
    if get_ipython() is None:
        print(text)
        return
    earlier = chosen(progress, name)
    buttons = ipywidgets.RadioButtons(
        options=options,
        value=earlier if earlier in options else None,
        layout=ipywidgets.Layout(width="max-content"),
    )
    buttons.observe(lambda change: progress.log("predict", name, option=change["new"]), "value")
    show_html(f"<b>Your prediction.</b> {question}", text)
    display(buttons)


def chosen(progress: Progress, name: str) -> str | None:
    """Return the learner's latest choice under this name, or None."""
    choices = progress.events("predict", name)
    return choices[-1].get("option") if choices else None


def outcome(progress: Progress, name: str, truth: str) -> str:
    """Return one sentence that sets the prediction beside the truth."""
    choice = chosen(progress, name)
    if choice is None:
        return "You are not on record yet. Choose above before you read on: what surprises you, you keep."
    if choice == truth:
        return f"It turned out: {truth}. Just as you predicted."
    return f"It turned out: {truth}. You predicted: {choice}."
