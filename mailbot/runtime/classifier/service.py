"""The process that classifies sentences: it answers questions from standard input until that is closed."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from typing import Protocol

from mailbot.runtime.child_process import pipes_of_child, receive, send
from mailbot.runtime.classifier.classifier import Answer, ClassifierSettings, Question

MEMORY = 3_000_000_000
"""Address space of the process, in bytes: enough to learn all examples with the vectors of an endpoint."""


class Guesser(Protocol):
    """Classifies sentences in one of several ways."""

    def answer(self, question: Question) -> Answer:
        """Return the guesses about the sentences of a question."""


def guesser(settings: ClassifierSettings) -> Guesser:
    """Return what classifies sentences as the settings say."""
    if settings.kind == "chat":
        from mailbot.runtime.classifier.chat import ChatGuesser

        return ChatGuesser(settings)
    from mailbot.runtime.classifier.vector_guesser import LearningGuesser, VectorGuesser

    return VectorGuesser.local() if settings.kind == "local" else LearningGuesser(settings)


def serve() -> None:
    """Answer questions, one after another. What goes wrong with a question is its answer."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)  # it exits when its standard input is closed
    requests, answers = pipes_of_child()
    _limit_memory()
    with suppress(EOFError):
        settings = receive(requests, ClassifierSettings, sys.maxsize)
        found: Guesser | None = None
        if settings.kind == "local":
            with suppress(Exception):  # then it is tried again with the first question, whose answer says why it failed
                found = guesser(settings)
        send(answers, True)  # noqa: FBT003 - "ready"
        while True:
            question = receive(requests, Question, sys.maxsize)
            try:
                found = found or guesser(settings)
                answer = found.answer(question)
            except Exception as error:  # noqa: BLE001 - whatever it is, the emails go to people
                answer = Answer(problem=_described(error))
            send(answers, answer)


def _described(error: Exception) -> str:
    return str(error) or type(error).__name__


def _limit_memory() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    serve()
