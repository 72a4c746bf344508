"""A process in place of the real classifier, with the fault that its settings name as the model: for the tests of faults."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

from mailbot.model import Guess
from mailbot.runtime.child_process import pipes_of_child, receive, send
from mailbot.runtime.classifier.classifier import Answer, ClassifierSettings, Question


def _answer(fault: str, question: Question) -> Answer:
    match fault:
        case "hang":
            time.sleep(60)
        case "die":
            sys.exit(1)
        case "memory":
            return Answer(problem="MemoryError")
        case "lie":
            return Answer({text: (Guess("failure", 7.0),) for text in question.sentences})
        case "label":
            return Answer({text: (Guess("no such class", 0.9),) for text in question.sentences})
        case "other":
            return Answer({"another sentence": (Guess("failure", 0.9),)})
    return Answer({text: (Guess("failure", 0.97), Guess("tried", 0.03)) for text in question.sentences})


def serve() -> None:
    requests, answers = pipes_of_child()
    with suppress(EOFError):
        settings = receive(requests, ClassifierSettings, sys.maxsize)
        if settings.model == "no start":
            return
        send(answers, True)  # noqa: FBT003 - "ready"
        while True:
            send(answers, _answer(settings.model, receive(requests, Question, sys.maxsize)))


if __name__ == "__main__":
    serve()
