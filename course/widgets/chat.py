"""Talk with the interviewer: a line to type in, three topics to choose from when it was unclear, a menu."""

from __future__ import annotations

import html

from course.interview import Interview, Reply, menu, topic_name

_BUBBLE = "max-width: 44em; margin: 4px 0; padding: 4px 8px; border-left: 4px solid"


def chat(interview: Interview | str = "lobby") -> ChatPanel:
    """Return a panel in which you lead an interview in your own words.

    Args:
        interview: an `Interview`, which remembers what was said before, or the name of a written scenario.

    Raises:
        ValueError: for an unknown name, or when interview is neither.

    """
    if isinstance(interview, str):
        interview = Interview(interview)
    if not isinstance(interview, Interview):
        raise ValueError(f"interview is a {type(interview).__name__}; accepted are an Interview or a name.")
    return ChatPanel(interview)


class ChatPanel:
    """A transcript, a line to type in, buttons for what may have been meant, a menu, and the turns left.

    Attributes:
        interview: the `Interview` behind it; `interview.facts()` shows what was learned here.
        widget: the whole panel, an ipywidgets box.
        line: the text box; Enter sends what stands in it.
        send: button that does the same.
        not_that: button that takes the last answer back.
        choices: three buttons with the likeliest topics, shown when a question was not clear.
        topics: drop-down list of all topics; choosing one asks about it.
        judge: button that says what the facts are good for.
        transcript, status: HTML with what was said, and the turns left.

    """

    def __init__(self, interview: Interview) -> None:
        """Build the panel around an interview."""
        import ipywidgets

        self.interview = interview
        self._said: list[str] = [_bubble("Interviewer", interview.opening)]
        layout = ipywidgets.Layout
        self.transcript = ipywidgets.HTML()
        self.status = ipywidgets.HTML()
        self.line = ipywidgets.Text(
            placeholder="Ask in your own words, then press Enter",
            # The line comes whole, once: of one that comes letter by letter, Enter would send the first few.
            continuous_update=False,
            tooltip="Your question; Enter sends it",
            layout=layout(width="34em"),
        )
        self.send = _button(ipywidgets, "Ask", "Send your question", "5em")
        self.not_that = _button(
            ipywidgets, "Not what I meant", "Take the last answer back; costs no turn", "11em"
        )
        self.judge = _button(ipywidgets, "What are my facts good for?", "Judge the facts as a set", "17em")
        self.choices = [_button(ipywidgets, "", "Ask about this", "auto") for _ in range(3)]
        for button in self.choices:
            button.layout.display = "none"
        self.topics = ipywidgets.Dropdown(
            options=[
                ("or choose a topic ...", ""),
                *((question, topic) for topic, question in menu().items()),
            ],
            tooltip="All topics; choosing one asks about it",
            layout=layout(width="24em"),
        )
        row = layout(flex_flow="row wrap")
        self.widget = ipywidgets.VBox(
            [
                self.transcript,
                ipywidgets.HBox(self.choices, layout=row),
                ipywidgets.HBox([self.line, self.send], layout=row),
                ipywidgets.HBox([self.topics, self.not_that, self.judge], layout=row),
                self.status,
            ]
        )
        self._offered: tuple[str, ...] = ()
        self._asked = ""
        self._entered = False
        self.line.on_msg(self._from_keyboard)
        self.line.observe(self._from_line, names="value")
        self.send.on_click(lambda _: self.ask(self.line.value))
        self.not_that.on_click(lambda _: self.take_back())
        self.judge.on_click(lambda _: self.say_judgement())
        self.topics.observe(self._from_menu, names="value")
        for place, button in enumerate(self.choices):
            button.on_click(lambda _, place=place: self.choose(self._offered[place]))
        self._show(())

    def ask(self, question: str) -> Reply | None:
        """Ask in your own words, as typing and Enter do; an empty question does nothing."""
        if not question.strip():
            return None
        self.line.value = ""
        return self._answered(self.interview.ask(question), question)

    def choose(self, topic: str) -> Reply:
        """Ask about a topic, as its button and the menu do.

        Raises:
            ValueError: for an unknown topic.

        """
        reply = self.interview.choose(topic, self._asked if topic in self._offered else "")
        return self._answered(reply, f"I mean: {topic_name(topic)}.")

    def take_back(self) -> Reply:
        """Take the last answer back, as the button does."""
        return self._answered(self.interview.take_back(), "That is not what I meant.")

    def say_judgement(self) -> None:
        """Say what the facts so far are good for, as the button does; costs no turn."""
        self._said.append(_bubble("Judgement", str(self.interview.judge())))
        self._show(())

    def describe(self) -> str:
        """Return in words what the panel shows: the last thing said, and the turns left."""
        last = self.interview.history[-1]["fact"] if self.interview.history else self.interview.opening
        return f"Interviewer: {last} ({self.interview.turns_left} turns left; ask with interview.ask('...'))"

    def _answered(self, reply: Reply, question: str) -> Reply:
        self._said.append(_bubble("You", question))
        understood = f"I understood: {topic_name(reply.understood)}. " if reply.understood else ""
        self._said.append(_bubble("Interviewer", understood + reply.text))
        self._asked = reply.question
        self._show(reply.likely)
        return reply

    def _from_keyboard(self, _: object, content: dict, __: object) -> None:
        # What the text box sends when Enter is pressed; what was written follows it, unless it came before.
        if content.get("event") == "submit":
            self._entered = not self.line.value
            self.ask(self.line.value)

    def _from_line(self, change: dict) -> None:
        # The line also comes when the learner clicks elsewhere; then it waits for Enter or the button.
        if self._entered and change["new"]:
            self._entered = False
            self.ask(change["new"])

    def _from_menu(self, change: dict) -> None:
        topic = change["new"]
        if topic:
            self.topics.value = ""
            self.choose(topic)

    def _show(self, offered: tuple[str, ...]) -> None:
        self._offered = offered
        for place, button in enumerate(self.choices):
            shown = place < len(offered)
            button.layout.display = None if shown else "none"
            button.description = topic_name(offered[place]) if shown else ""
        said = "".join(self._said)
        self.transcript.value = (
            f'<div role="log" aria-live="polite" aria-label="Interview" style="line-height: 1.4">{said}</div>'
        )
        left = self.interview.turns_left
        self.status.value = f'<div role="status" aria-live="polite">Turns left: {left}</div>'
        self.not_that.disabled = not self.interview.topics()
        for item in (self.line, self.send, self.topics, *self.choices):
            item.disabled = not left

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, object]:
        # Where no widget can be shown, a sentence is.
        return {**self.widget._repr_mimebundle_(**kwargs), "text/plain": self.describe()}


def _button(ipywidgets: object, description: str, tooltip: str, width: str) -> object:
    layout = ipywidgets.Layout(width=width, height="2.4em")
    return ipywidgets.Button(description=description, tooltip=tooltip, layout=layout)


def _bubble(who: str, text: str) -> str:
    colour = {"You": "#0072b2", "Interviewer": "#555555"}.get(who, "#d55e00")
    lines = "<br>".join(html.escape(line) for line in text.split("\n"))
    return f'<div style="{_BUBBLE} {colour}"><b>{who}:</b> {lines}</div>'
