"""Random lives of cases, for both companies: whatever customers, staff, strangers, machines and the clock do, in any order.

A run takes 10,000 steps, always the same ones, and shows the first life that breaks a promise as it was.
``MAILBOT_LIVES=500 pytest tests/test_random_cases.py`` takes that many lives of fifty steps for each company, different ones
every time. It also writes HTML and documents, and shortens the life that it shows; this takes minutes.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from support.memory_desk import PORTWELL, SERVERTECH
from support.random_cases import BOSS, CHIEF, CUSTOMERS, DESK, DOMAIN, KIM, SALES, SEEN, WHOLE, Life, mail, report

from mailbot.case.delivery import Ambiguous, Deferred, Delivered, DeliveryResult, Refused
from mailbot.model import Case, Reply

SENT_IN = "We shipped it today with UPS, tracking number 1Z999AA10123456784."
PARTS = "QUOTE 250 USD for parts"
SENT_BACK = "SHIPPED UPS 1Z999AA10123456784"
NO_REPAIR = "We do not want the repair, please cancel the return."
RENEW = "Our number has expired. Can you renew the RMA number, please?"
REQUESTS = (
    "Serial number {new} shows no video.",
    "Serial number {new} shows no video.",
    "Serial number {old} shows no video.",
    "Serial number {old} shows no video.",
    "Both {new} and {old} show no video.",
    "Serial number {mended} shows no video.",
    "Serial number {mended} does not boot at all.",
    "Serial number {small} shows no power.",
    "Serial number {odd} shows no video.",
    "Serial number {yonder} shows no video.",
    "Serial number {zenith} shows no video.",
    "Both {new} and {yonder} show no video.",
    "Serial number XX9Z999999 shows no video.",
    "Our board shows no video.",
    "Please send us an RMA number.",
    "Unit {new} does not work.",
    "We want to return serial number {fresh} for credit, ordered by mistake.",
    "We want to return serial number {old} for credit, ordered by mistake.",
    "Please exchange serial number {fresh}, it is the wrong model.",
    "Please do a BIOS update rework on serial number {new}.",
    "Serial number {fresh} arrived dead on arrival, no video.",
    "I dropped {new} on the floor, no video now.",
    "Coffee was spilled over {small}, no power. Please send a replacement in advance, this is a rush.",
    "Do you also sell rack rails?",
)
ANSWERS = (
    "It is {new}.",
    "It is {old}.",
    "It is {yonder}.",
    "No video after the BIOS update.",
    "It shows no video.",
    "Yes, please go ahead, we accept the quote.",
    "OK",
    "Thank you very much!",
    "Please cancel it.",
    NO_REPAIR,
    "What is the status of our return?",
    SENT_IN,
    "Please add serial number {old} to this RMA, it shows no video too.",
    "Please add serial number {new} to this RMA, it shows no video too.",
    "Sorry, I wrote the wrong serial number. The correct serial number is {small}, not {new}.",
    RENEW,
    "I have read your terms.",
    "When can we expect an answer?",
)
COMMANDS = (
    "APPROVE",
    "APPROVE",
    "APPROVE credit USD 90",
    "APPROVE credit USD 900",
    "APPROVE credit USD 90000",
    "Approved. Recertification fee USD 75.00.",
    "APPROVE {old}",
    "I spoke to the first owner, all fine. Please go ahead and issue the RMA.",
    "REJECT outside of what we can do",
    "Not accepted: incomplete",
    "QUOTE 250 USD for labor",
    "QUOTE: repair 180 USD, parts 95 USD (CPU)",
    "QUOTE 700 USD for a new board",
    "QUOTE 90 USD",
    "QUOTE 100 EUR",
    "RECEIVED",
    "RECEIVED",
    "RECEIVED",
    "RECEIVED 1 of 2",
    "RECEIVED {new}",
    "RECEIVED FORCE it simply arrived",
    "DIAGNOSED: burnt capacitor",
    "NPF",
    "ABUSE",
    "TRANSIT DAMAGE",
    "NOT ESD-PACKED",
    "BAD PACKAGING",
    "INCOMPLETE",
    "REPAIRED",
    "REPAIRED",
    "REPAIRED FORCE the customer agreed by phone",
    "NOT REPAIRABLE",
    SENT_BACK,
    SENT_BACK,
    "SHIPPED UPS 1Z999AA10123456784 FORCE never logged in",
    "SHIP TO: Dock 7, 1 Harbor Road, Oakland CA 94607",
    "EXTEND 14 days",
    "HOLD",
    "CLOSE",
    "CLOSE FORCE we have agreed on that",
    f"NOTE {SEEN}",
    "HELP",
    "CONFIRM",
    "Yes.",
    "Should we approve this?",
    "Approve it only if the fan is original.",
    "I would not approve that yet.",
    "Thanks, I called them.",
    "RECEIVED\nDIAGNOSED: no video\nREPAIRED\nSHIPPED UPS 1Z999AA10123456784",
    "QUOTE 400 USD for labor\nAPPROVE",
)
COURSE = {
    "asking": [(KIM, "It is {new}."), (KIM, "It is {old}."), (KIM, "No video after the BIOS update.")],
    "quoted": [(KIM, "order"), (KIM, "order"), (KIM, "Yes, please go ahead, we accept the quote."), (BOSS, "APPROVE")],
    "held": [(BOSS, "APPROVE"), (BOSS, "APPROVE credit USD 90"), (CHIEF, "APPROVE"), (BOSS, "QUOTE 90 USD"), (BOSS, "REJECT no")],
    "declined": [(BOSS, "APPROVE"), (DESK, SENT_BACK)],
    "authorized": [(DESK, "RECEIVED"), (DESK, "RECEIVED"), (KIM, SENT_IN)],
    "in_transit": [(DESK, "RECEIVED")],
    "received": [(DESK, "DIAGNOSED: no video"), (DESK, "NPF"), (DESK, "ABUSE"), (BOSS, PARTS), (DESK, "REPAIRED")],
    "diagnosed": [(BOSS, PARTS), (DESK, "REPAIRED"), (DESK, "NOT REPAIRABLE"), (DESK, "SHIPPED DHL 4490443041")],
    "parts_quoted": [(KIM, "order"), (KIM, "order"), (KIM, NO_REPAIR)],
    "ordered": [(DESK, "REPAIRED"), (DESK, "NOT REPAIRABLE")],
    "repaired": [(DESK, SENT_BACK)],
    "expired": [(KIM, RENEW), (BOSS, "APPROVE")],
}  # fmt: skip
"""By whom, and by what words, a case usually goes on."""

STAFF = st.sampled_from([BOSS, BOSS, BOSS, CHIEF, DESK, DESK, SALES])
AUTH = st.sampled_from(["pass", "pass", "none", "none", "fail"])
WAITS = st.sampled_from([1, 5, 26, 26, 50, 24 * 8, 24 * 15, 24 * 40])
PICK = st.sampled_from([0, 0, 0, 1, 1, 2, 3])
ENDS: dict[str, DeliveryResult] = {
    "sent": Delivered("250 ok"),
    "refused": Refused(550, "no such user"),
    "deferred": Deferred("421 later"),
    "doubtful": Ambiguous("no answer"),
}


class Lives(RuleBasedStateMachine):
    """One desk, from its first mail on."""

    company = PORTWELL
    life: Life
    folder: Path | None = None

    @initialize(stored=st.sampled_from([False, False, False, True]))
    def opens(self, stored: bool) -> None:  # noqa: FBT001 - drawn
        """Open the desk: on a folder, or in memory."""
        self.folder = Path(tempfile.mkdtemp(prefix="lives-")) if stored else None
        self.life = Life(self.company, self.folder)

    def teardown(self) -> None:
        """Look at everything once more."""
        if hasattr(self, "life"):
            self.life.ends()
        if self.folder:
            shutil.rmtree(self.folder)

    # ------------------------------------------------------------ customers

    @rule(body=st.sampled_from(REQUESTS), who=st.sampled_from([KIM, KIM, KIM, *CUSTOMERS, BOSS]))
    def asks(self, body: str, who: str) -> None:
        """Somebody writes to us out of the blue; a colleague passes on what a customer said."""
        if who == BOSS:
            self._staff(who, f"Please open an RMA. {body}", "A board")
        else:
            self._writes(who, body, "A board")

    @precondition(lambda self: self.life.now)
    @rule(body=st.sampled_from((*ANSWERS, *ANSWERS, *REQUESTS)), pick=PICK, stranger=st.sampled_from(["", "", "", *CUSTOMERS]))
    def answers(self, body: str, pick: int, stranger: str) -> None:
        """A customer answers us; or somebody else does, who has got hold of the mail."""
        case = self._case(pick)
        self._writes(stranger or case.sender, body, "Re: A board", answers=self._last(case))

    @precondition(lambda self: any(case.number for case in self.life.now.values()))
    @rule(body=st.sampled_from(ANSWERS), pick=PICK, who=st.sampled_from(CUSTOMERS), auth=AUTH)
    def names_a_number(self, body: str, pick: int, who: str, auth: str) -> None:
        """Somebody writes with a number in the subject: its owner, a stranger, somebody under a false name."""
        case = self._case(pick, lambda each: each.number is not None)
        assert case.number
        self._writes(who, body, f"About {case.number.text}", auth=auth)

    @precondition(lambda self: any(case.quotes for case in self.life.now.values()))
    @rule(pick=PICK, form=st.sampled_from(["match", "no quote", "total", "currency", "quote", "no copy"]))
    def orders(self, pick: int, form: str) -> None:
        """A purchase order comes: one that agrees with the quote, or one that does not."""
        self._order(self._case(pick, lambda each: bool(each.quotes)), form)

    # ------------------------------------------------------------ staff

    @precondition(lambda self: self.life.now)
    @rule(pick=PICK, choices=st.lists(st.integers(0, 9), min_size=1, max_size=4))
    def goes_on(self, pick: int, choices: list[int]) -> None:
        """A case takes its course: whoever has the next move makes it."""
        ident = self._case(pick).id
        for choice in choices:
            case = self.life.now[ident]
            if case.state not in COURSE or not case.units:
                return
            moves = COURSE[case.state]
            who, words = moves[choice % len(moves)]
            if words == "order":
                self._order(case, "match")
            elif who == KIM:
                self._writes(case.sender, words, "Re: A board", answers=self._last(case))
            else:
                self._staff(who, words, f"Re: [{case.id}]")

    @precondition(lambda self: self.life.now)
    @rule(
        pick=PICK, who=STAFF, words=st.sampled_from(COMMANDS), auth=AUTH, how=st.sampled_from(["subject", "token", "token", "cc"])
    )
    def commands(self, pick: int, who: str, words: str, auth: str, how: str) -> None:
        """Staff write about a case: with its number or id in the subject, in answer to a notice, to the customer with us in Cc."""
        case = self._case(pick)
        subject = f"Re: [{case.number.text if case.number else case.id}]"
        if how == "token":
            self._staff(who, words, subject, answers=self._last(case, self._address(who)), auth=auth)
        elif how == "cc":
            self._staff(who, words, subject, to=case.sender, cc=self.life.policy.desk.address, auth=auth)
        else:
            self._staff(who, words, subject, auth=auth)

    @precondition(lambda self: any(case.pending for case in self.life.now.values()))
    @rule(who=st.sampled_from([CHIEF, BOSS, DESK]), words=st.sampled_from(["APPROVE", "Approved.", "REJECT too much"]))
    def decides_second(self, who: str, words: str) -> None:
        """Somebody decides on what waits for a second approver; perhaps the first one again."""
        case = next(case for case in self.life.now.values() if case.pending)
        self._staff(who, words, f"Re: [{case.id}]", answers=self._last(case, self._address(who)))

    @precondition(lambda self: any(t.commands for case in self.life.now.values() for t in case.tokens))
    @rule(words=st.sampled_from(["CONFIRM", "Yes, please.", "CONFIRM\nAPPROVE", "No, that was not me."]))
    def confirms(self, words: str) -> None:
        """Staff answer the question whether it was they who gave a command."""
        case = next(case for case in self.life.now.values() if any(t.commands for t in case.tokens))
        token = next(token for token in case.tokens if token.commands)
        asked = next(reply for reply in case.replies if token.secret in reply.message_id)
        self._staff(token.person.partition("@")[0], words, "Re: please confirm", answers=asked.message_id, auth="none")

    # ------------------------------------------------------------ machines, the clock, the state

    @precondition(lambda self: self.life.sent)
    @rule(pick=PICK, what=st.sampled_from(["bounce", "delay", "away", "sent", "sent", "refused", "deferred", "doubtful"]))
    def machines(self, pick: int, what: str) -> None:
        """A mail of ours goes out, or does not; a delivery report or an absence note, which quotes us, comes."""
        about = self._reply(pick)
        if what in ENDS:
            self.life.sends((ENDS[what], ENDS["sent"], ENDS["sent"]))
        elif what == "away":
            body, fields = f"APPROVE\n\nI am away.\n\n> {about.subject}", ("Auto-Submitted: auto-replied",)
            self._mail(about.to, body, "Automatic reply: APPROVE", answers=about.message_id, fields=fields)
        else:
            own = f"m{len(self.life.raws)}"
            self.life.arrives(report(about, self.life.server, own, final=what == "bounce"))

    @rule(hours=WAITS, how=st.sampled_from(["at work", "at work", "down", "unswept"]))
    def passes(self, hours: int, how: str) -> None:
        """Time passes: with us at work; with one sweep at its end; with none, so that a mail is what is looked at first."""
        if how == "unswept":
            self.life.clock.at = self.life.clock.now() + timedelta(hours=hours)
        else:
            self.life.passes(timedelta(hours=hours), down=how == "down")

    @precondition(lambda self: self.life.raws)
    @rule(pick=st.integers(0, 60))
    def arrives_again(self, pick: int) -> None:
        """The process ends and another one begins; a mail is delivered once more."""
        self.life.restarts()
        self.life.arrives_again(self.life.raws[pick % len(self.life.raws)])

    # ------------------------------------------------------------ the pen

    def _filled(self, body: str) -> str:
        return body.format(**{name: row.serial for name, row in self.life.rows.items()})

    def _order(self, case: Case, form: str) -> None:
        if not case.quotes:
            return
        quote = case.quotes[-1]
        named = {"quote": f"{quote.number}9", "no quote": ""}.get(form, quote.number)
        total = quote.total + 1 if form == "total" else quote.total
        text = f"PURCHASE ORDER 4711\nYour quotation: {named}\nTotal: {'EUR' if form == 'currency' else 'USD'} {total}\n"
        files = [] if form == "no copy" else [("PO-4711.txt", text)]
        body = "Please proceed, our purchase order PO 4711 is attached."
        self._writes(case.sender, body, "Re: A board", answers=self._last(case), files=files)

    def _writes(self, who: str, body: str, subject: str, **more: object) -> None:
        self._mail(who, self._filled(body), subject, **more)

    def _staff(self, who: str, words: str, subject: str, **more: object) -> None:
        self._mail(self._address(who), self._filled(words), subject, **more)

    def _mail(self, sender: str, body: str, subject: str, *, to: str = "", **more: object) -> None:
        own = f"m{len(self.life.raws)}"
        raw = mail(sender, to or self.life.policy.desk.address, subject, body, ident=own, server=self.life.server, **more)  # type: ignore[arg-type]
        self.life.arrives(raw)

    def _address(self, who: str) -> str:
        return f"{who}@{DOMAIN[self.company]}"

    def _case(self, pick: int, fits: object = lambda _: True) -> Case:
        """One of the latest cases that fit."""
        fitting = [case for case in reversed(self.life.now.values()) if fits(case)]  # type: ignore[operator]
        return fitting[pick % len(fitting)]

    def _last(self, case: Case, to: str = "") -> str:
        """The id of our latest mail about a case, to the customer or to one of staff; empty where there is none."""
        ours = (r for r in reversed(case.replies) if (r.to == to if to else r.audience == "customer"))
        return next((reply.message_id for reply in ours), "")

    def _reply(self, pick: int) -> Reply:
        ours = list(self.life.sent.values())
        return ours[-1 - pick % len(ours)]


class ServerTechLives(Lives):
    """The same for the other company."""

    company = SERVERTECH


LENGTH = settings(
    max_examples=WHOLE or 100,
    stateful_step_count=50,
    deadline=None,
    derandomize=not WHOLE,
    database=None,
    phases=[Phase.generate, *([Phase.shrink] if WHOLE else [])],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@pytest.mark.parametrize("lives", [Lives, ServerTechLives], ids=[PORTWELL, SERVERTECH])
def test_whatever_happens_the_promises_hold(lives: type[Lives]) -> None:
    """However mails, commands, pauses, repeats and restarts follow each other: every promise holds after every step."""
    run_state_machine_as_test(lives, settings=LENGTH)
