"""Render the notices of a decision: one email for each recipient. No decisions are made here."""

from __future__ import annotations

from msgspec import structs

from mailbot.case import tokens
from mailbot.mail.build import Draft, build
from mailbot.model import (
    Attachment,
    Bounced,
    Case,
    DeadlinesReached,
    Decision,
    Notice,
    PolicyStamp,
    Recipient,
    Reply,
    StaffMember,
    StaffMessage,
)
from mailbot.policy.context import Context
from mailbot.policy.policy import Policy
from mailbot.reply import customer_emails, progress_emails, staff_emails
from mailbot.reply.document_set import documents_for
from mailbot.reply.email_content import EmailContent


def compose(decision: Decision, case: Case | None, context: Context) -> tuple[Reply, ...]:
    """Return the emails of a decision, in the order of its notices; their bytes never change again.

    Args:
        decision: its notices name the templates, recipients, clauses and facts.
        case: the case after the decision; None if the notices are about no case.
        context: the policy with its templates, and the date of the emails.

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
        return staff_emails.without_case(notice, policy, stamp)
    match notice.kind:
        case "answer":
            content = customer_emails.answer(notice, case, policy)
        case "reminder" | "expired" | "closed":
            content = customer_emails.reminder(notice, case, policy)
        case "progress":
            content = progress_emails.progress(notice, case, policy)
        case "notice" | "transcript":
            content = staff_emails.to_staff(notice, case, policy)
    return structs.replace(content, policy_version=f"{stamp.version} ({stamp.digest[:8]})")


def _freeze(content: EmailContent, notice: Notice, recipient: Recipient, case: Case | None, context: Context) -> Reply:
    """Build the bytes of one email; they are frozen (promise 3)."""
    policy, reply_to = context.policy, ""
    if recipient.token and case:
        reply_to = tokens.address(policy.desk.address, case.id, recipient.token)
        person = next((p for p in policy.desk.staff if p.address == recipient.address), None)
        content = staff_emails.with_actions(
            content, case, person or StaffMember(recipient.address, ()), reply_to, policy, confirms=bool(recipient.token.commands)
        )
    attachments = _documents(notice, case, context)
    content = structs.replace(content, attached=tuple(attachment.name for attachment in attachments))
    text, html = policy.templates.render(content, policy.name)
    thread = _thread(case) if notice.audience == "customer" else ()
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


def _documents(notice: Notice, case: Case | None, context: Context) -> tuple[Attachment, ...]:
    if notice.documents is None or case is None:
        return ()
    return documents_for(context.policy, case, notice.documents, context.day)


def _thread(case: Case | None) -> tuple[str, ...]:
    """Return the Message-IDs of the thread for References, the customer's latest email last (RFC 5322 §3.6.4)."""
    if case is None:
        return ()
    emails = [e.event.mail for e in case.history if not isinstance(e.event, DeadlinesReached | StaffMessage | Bounced)]
    if not emails:
        return ()
    latest = emails[-1]
    return tuple(dict.fromkeys((*latest.references, *((latest.message_id,) if latest.message_id else ()))))
