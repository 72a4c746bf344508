"""Render the notices of a decision: one email for each recipient. No decisions are made here."""

from __future__ import annotations

from msgspec import structs

from mailbot.case import tokens
from mailbot.mail.build import Draft, build
from mailbot.model import Bounced, Case, DeadlinesReached, Decision, Notice, PolicyStamp, Recipient, Reply, StaffMessage
from mailbot.policy.context import Context
from mailbot.policy.policy import Policy
from mailbot.reply import customer_emails, staff_emails
from mailbot.reply.documents import documents_for
from mailbot.reply.email_content import EmailContent
from mailbot.reply.staff_actions import staff_actions


def compose(decision: Decision, case: Case | None, context: Context) -> tuple[Reply, ...]:
    """Return the emails of a decision, in the order of its notices; their bytes never change again.

    ``case`` is the case after the decision; None if the notices are about no case.

    Raises:
        TemplateError: a template is missing or has an error.
    """
    return tuple(
        _freeze(content, notice, recipient, case, context)
        for notice in decision.full_notices
        for content in (_content(notice, case, context.policy, decision.stamp),)
        for recipient in notice.recipients
    )


def _content(notice: Notice, case: Case | None, policy: Policy, stamp: PolicyStamp) -> EmailContent:
    """Return everything that the email says."""
    if case is None:
        content = staff_emails.without_case(notice, policy)
    elif notice.kind == "answer":
        content = customer_emails.answer(notice, case, policy)
    elif notice.kind == "progress":
        content = customer_emails.progress(notice, case, policy)
    elif notice.kind in ("notice", "transcript"):
        content = staff_emails.to_staff(notice, case, policy)
    else:
        content = customer_emails.reminder(notice, case, policy)
    return structs.replace(content, policy_version=f"{stamp.version} ({stamp.digest[:8]})")


def _freeze(content: EmailContent, notice: Notice, recipient: Recipient, case: Case | None, context: Context) -> Reply:
    """Build the bytes of one email; they are frozen (promise 3)."""
    policy, reply_to = context.policy, ""
    if recipient.token and case:
        reply_to = tokens.address(policy.desk.address, case.id, recipient.token)
        content = structs.replace(content, choices=staff_actions(case, recipient, reply_to, policy))
    attachments = documents_for(policy, case, notice.documents, context.day) if case and notice.documents else ()
    content = structs.replace(content, attached=tuple(attachment.name for attachment in attachments))
    text, html = policy.templates.render(content, policy.name)
    thread = _thread(case) if case and notice.audience == "customer" else ()
    raw = build(
        Draft(
            mailbox_name=content.company,
            mailbox=policy.desk.address,
            to=recipient.address,
            subject=content.subject,
            message_id=recipient.message_id,
            date=context.now,
            in_reply_to=thread[-1] if thread else None,
            references=thread,
            text=text,
            html=html,
            attachments=attachments,
            auto_submitted="auto-replied" if notice.direct else "auto-generated",
            reply_to=reply_to,
        )
    )
    return Reply(
        message_id=recipient.message_id,
        mailbox=policy.desk.address,
        to=recipient.address,
        subject=content.subject,
        raw=raw.decode("ascii"),
        at=context.now,
        template=f"{notice.kind} {notice.about}".strip(),
        cites=notice.clauses,
        audience=notice.audience,
        direct=notice.direct,
        state="held" if notice.withheld else "queued",
        note=notice.withheld,
    )


def _thread(case: Case) -> tuple[str, ...]:
    """Return the Message-IDs of the thread for References, the customer's latest email last (RFC 5322 §3.6.4)."""
    emails = [e.event.mail for e in case.history if not isinstance(e.event, DeadlinesReached | StaffMessage | Bounced)]
    if not emails:
        return ()
    return tuple(dict.fromkeys(filter(None, (*emails[-1].references, emails[-1].message_id))))
