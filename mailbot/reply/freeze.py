"""Letters -> replies: frozen byte for byte, each with an id, and those to staff with a token of the reader's own."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import structs

from mailbot.case import tokens
from mailbot.mail.build import Draft, build
from mailbot.model import Attachment, Case, Command, Reply, Role, Snapshot, StaffMember, Token
from mailbot.policy.policy import Policy
from mailbot.reply import staff_emails
from mailbot.reply.content import EmailContent


class ReplyBuilder:
    """The replies of one step, each with an id of its own: stable, because it is frozen with the reply."""

    def __init__(
        self, policy: Policy, snapshot: Snapshot, now: datetime, case: Case | None = None, thread: tuple[str, ...] = ()
    ) -> None:
        self.policy, self.snapshot, self.now, self.case, self.thread = policy, snapshot, now, case, thread
        self.replies: list[Reply] = []
        self.tokens: list[Token] = []

    def add(
        self,
        letter: EmailContent,
        to: str,
        cites: tuple[str, ...],
        *,
        direct: bool = False,
        silent: bool = False,
        attachments: tuple[Attachment, ...] = (),
    ) -> None:
        """Freeze a letter to a customer into a reply; a ``silent`` one is kept on record and never sent."""
        self._freeze(letter, to, cites, direct=direct, silent=silent, attachments=attachments)

    def to_staff(
        self,
        letter: EmailContent,
        person: StaffMember,
        cites: tuple[str, ...] = (),
        *,
        confirms: tuple[Command, ...] = (),
        direct: bool = False,
    ) -> None:
        """Freeze a letter to a member of staff, with a token of that person's own where it is about a case (promise 5).

        Args:
            letter: what it says.
            person: the reader.
            cites: the clauses on record for it.
            confirms: the commands that an answer confirms.
            direct: it answers a mail (and counts in the day's cap).
        """
        token, address = None, ""
        if self.case is not None:
            until = self.now + tokens.LIFE
            token = tokens.mint(
                self.snapshot.token_entropy, len(self.tokens) + 1, person, until, self.case.version, confirms
            )
            address = tokens.address(self.policy.desk.address, self.case.id, token)
            self.tokens.append(token)
            letter = staff_emails.offered(
                letter, self.case, person, address, self.policy.currency, confirms=bool(confirms)
            )
        self._freeze(letter, person.address, cites, token=token, reply_to=address, direct=direct)

    def _freeze(
        self,
        letter: EmailContent,
        to: str,
        cites: tuple[str, ...],
        *,
        direct: bool = False,
        silent: bool = False,
        attachments: tuple[Attachment, ...] = (),
        token: Token | None = None,
        reply_to: str = "",
    ) -> None:
        letter = structs.replace(letter, attached=tuple(attachment.name for attachment in attachments))
        text, html = self.policy.letters.render(letter, self.policy.name)
        audience: Literal["customer", "staff"] = "staff" if letter.kind in ("notice", "transcript") else "customer"
        reply = Reply(
            message_id=self._next_id(audience, token),
            mailbox=self.policy.desk.address,
            to=to,
            subject=letter.subject,
            raw="",
            at=self.now,
            letter=f"{letter.kind} {letter.about}".strip(),
            cites=cites,
            audience=audience,
            direct=direct,
        )
        thread = () if audience == "staff" else self.thread
        raw = build(
            Draft(
                mailbox_name=letter.company,
                mailbox=reply.mailbox,
                to=to,
                subject=letter.subject,
                message_id=reply.message_id,
                date=self.now,
                in_reply_to=thread[-1] if thread else None,
                references=thread,
                text=text,
                html=html,
                attachments=attachments,
                auto_submitted="auto-replied" if direct else "auto-generated",
                reply_to=reply_to,
            )
        )
        state, note = ("held", "the day's answers to this address are given") if silent else ("queued", "")
        self.replies.append(structs.replace(reply, raw=raw.decode("ascii"), state=state, note=note))

    def _next_id(self, audience: Literal["customer", "staff"], token: Token | None) -> str:
        """Return an id that counts the mails to this audience: how many notes staff got is not for customers to see (promise 7)."""
        name = self.case.id.lower() if self.case else "note"
        before = (*(self.case.replies if self.case else ()), *self.replies)
        count = sum(1 for reply in before if reply.audience == audience) + 1
        sign = "" if audience == "customer" else "s"
        chance = tokens.mark(token) if token else self.snapshot.id_entropy[10:26]
        return f"{name}.{sign}{count}.{chance}@{self.policy.desk.address.rpartition('@')[2]}"


def staff_for(policy: Policy, role: Role) -> tuple[StaffMember, ...]:
    """Return those who can act in a role; all staff if no one has it (design §5)."""
    staff_emails = policy.desk.staff
    return tuple(person for person in staff_emails if role in person.roles) or staff_emails
