"""``mailbot explain``: show what would be done with an email, and why. A dry run: nothing is sent or stored."""

from __future__ import annotations

import logging
import mailbox as mailbox_files
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from email import message_from_string, policy
from email.message import Message as Parsed
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from mailbot.commands import options
from mailbot.mail.automated import COMPLAINT
from mailbot.model import Decision, Message, Reply, Request, Statement, Step
from mailbot.strict_toml import ConfigError

if TYPE_CHECKING:
    from mailbot.commands.annotations import AnnotatedMessage
    from mailbot.runtime.pipeline import MailboxContext

_EMPTY = Message(mailbox="", digest="", arrived_at=datetime.min, size=0)  # noqa: DTZ901 - never printed


class Explanation(NamedTuple):
    """What is known about an email, in the fields of ``--json``, and the email with its annotations.

    ``annotated`` is None if the email could not be processed or if it will not be printed as text.
    """

    fields: dict[str, Any]
    annotated: AnnotatedMessage | None = None


@click.command()
@options.config
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per email, one per line.")
@click.option(
    "--mailbox", "address", metavar="ADDRESS", help="The mailbox that received it. Default: from Delivered-To, To and Cc."
)
@options.now("The time at which the emails arrive.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH...")
def explain(config: Path, address: str | None, now: datetime | None, paths: tuple[Path, ...], *, as_json: bool) -> None:
    """Dry run: show what would be done with emails, and why. PATH: .eml files, folders of them, or mbox files.

    Each email is processed by itself, with the cases in the state. Nothing is sent or stored. What was found in the text is
    marked there. Below the text is what looks like a serial number but is not used as one, and why.

    \b
    mailbot explain mail.eml
    mailbot explain --json --now 2026-11-20T10:00:00Z saved-mail/ > decisions.jsonl
    """
    from mailbot.commands import loading
    from mailbot.runtime import logs
    from mailbot.runtime.clock import Clock
    from mailbot.settings import load

    logs.configure(logging.WARNING)
    settings = load(config)
    known = [mailbox.address.lower() for mailbox in settings.file.mailbox]
    if address and address.lower() not in known:
        raise click.BadParameter(
            f"{address} is not a mailbox in {settings.name} (it has {', '.join(known)})", param_hint="--mailbox"
        )
    with closing(loading.store(settings, read_only=True)) as store, loading.Processes(settings.classifier) as processes:
        policies = loading.policies(settings, will_send=False)
        contexts = loading.contexts(settings, store, Clock(now), processes, policies=policies, dry_run=True)
        for name, raw in _emails(paths):
            recipient = address.lower() if address else _recipient(raw, known)
            explanation = _explain(name, raw, contexts[recipient], annotate=not as_json)
            if as_json:
                click.echo(logs.as_json(explanation.fields))
            else:
                _print(explanation)


def _explain(name: str, raw: bytes, context: MailboxContext, *, annotate: bool) -> Explanation:
    """Run one email through the pipeline without committing it. ``annotate``: also mark in the text what was found.

    Raises:
        StateError: the state cannot be read.
        ConfigError: a template for the reply is invalid.
    """
    from mailbot.commands.annotations import AnnotatedMessage
    from mailbot.intake.reading import read_message
    from mailbot.mail.parse import UnreadableError
    from mailbot.reply.render import TemplateError
    from mailbot.runtime.pipeline import incoming_mail, step_of
    from mailbot.runtime.store import StateError

    desk = context.policy.desk
    message = _EMPTY
    try:
        message = read_message(incoming_mail(desk.address, raw, context.clock.now()), desk, context.open_attachments)
        result, case, snapshot = step_of(message, context)
        annotated = AnnotatedMessage(message, _request(result), case, snapshot, desk) if annotate else None
        return Explanation(_fields(name, message, result, set(snapshot.units)), annotated)
    except StateError:
        raise
    except TemplateError as error:
        raise ConfigError(f"templates: {error}") from error
    except UnreadableError as error:
        why = str(error)
    except Exception as error:  # noqa: BLE001 - as in the daemon: one bad email must not stop the others
        why = f"{type(error).__name__} while it was processed"
    why = f"moved to Attention, staff are notified: {why}"
    return Explanation(_fields(name, message, Step(None, Decision("none", (), why, context.policy.stamp), None), set()))


def _recipient(raw: bytes, addresses: list[str]) -> str:
    """Return the mailbox that received an email: the first one named in the headers, else the first one."""
    headers: Parsed = BytesHeaderParser().parsebytes(raw[:100_000])
    for header in ("Delivered-To", "X-Original-To", "To", "Cc"):
        text = " ".join(str(value) for value in headers.get_all(header, [])).lower()
        for address in addresses:
            user, _, domain = address.rpartition("@")
            if address in text or (f"{user}+" in text and f"@{domain}" in text):
                return address
    return addresses[0]


def _emails(paths: tuple[Path, ...]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.suffix.lower() in (".eml", ".mbox")) if path.is_dir() else [path]
        if not files:
            raise ConfigError(f"{path}: no .eml or .mbox file in this folder.")
        for file in files:
            with file.open("rb") as handle:
                is_mbox = handle.read(5) == b"From "
            if not is_mbox:
                yield file.name, file.read_bytes()
                continue
            with closing(mailbox_files.mbox(file, create=False)) as box:
                for number, key in enumerate(box.keys(), 1):
                    yield f"{file.name}:{number}", box.get_bytes(key)


def _request(result: Step) -> Request:
    return getattr(result.event, "request", Request("other"))


def _fields(name: str, message: Message, result: Step, known: set[str]) -> dict[str, Any]:
    """Return the fields of ``--json``. The step of an email that could not be processed has no event."""
    from mailbot.intake.entities.serials import serial_key

    request, decision = _request(result), result.decision
    assert decision is not None  # noqa: S101 - every email is decided on
    silent = result.event is None or request.kind in ("bounce", "auto", "list", "spam")
    units = {serial_key(unit.serial): unit for unit in (*request.foreign, *request.units) if unit.serial}  # each once
    verdicts = {serial_key(v.serial): v for v in decision.verdicts if v.serial}
    items = [
        {
            "serial": unit.serial,
            "known": key in known,
            "outcome": verdicts.get(key, decision).outcome,
            "clauses": list(verdicts.get(key, decision).clauses),
        }
        for key, unit in units.items()
        if decision.outcome != "none"
    ]
    reasons = dict.fromkeys(reason for reason in (unit.reason for unit in request.units) if reason)
    return {
        "file": name,
        "kind": request.kind,
        "policy": decision.stamp.policy,
        "sender": message.answer_to.email if message.answer_to and not silent else None,
        "language": request.language,
        "items": items,
        "reason": "; ".join(reasons) or request.reason,
        "missing": list(request.missing),
        "intent": request.intent,
        "exclusions": list(dict.fromkeys((*request.exclusions, *(x for i in request.units for x in i.exclusions)))),
        "po_number": request.po_number,
        "outcome": decision.outcome,
        "why": decision.why,
        "statements": [_statement(statement) for statement in request.statements],
        "replies": [_reply(reply) for reply in result.replies],
        "message": _message(message, may_answer=bool(message.answer_to) and not silent),
    }


def _statement(statement: Statement) -> dict[str, Any]:
    return {
        "text": statement.text,
        "class": statement.statement_class,
        "sub": statement.label.partition(" ")[2],
        "certainty": round(statement.certainty, 3),
        "by": statement.by if statement.by != "staff" else "rule",
        "units": list(statement.units),
        "in_question": statement.in_question,
    }


def _message(message: Message, *, may_answer: bool) -> dict[str, Any]:
    bounce = message.bounce
    return {
        "subject": message.subject,
        "from": message.sender.email if message.sender else None,
        "from_display": message.sender.name if message.sender else "",
        "to": [address.email for address in message.to],
        "message_id": message.message_id,
        "body_text": message.text,
        "visible_reply": message.visible,
        "attachments": [{"name": a.name, "size": len(a.content)} for a in message.attachments],
        "may_answer": may_answer,
        "is_bounce": message.classification.sender_class == "bounce",
        "failed_recipients": list(bounce.recipients) if bounce else [],
        "temporary": bounce.temporary if bounce else False,
        "is_autoreply": message.classification.sender_class == "auto",
        "is_complaint": message.classification.reason == COMPLAINT,
        "auth": message.auth.result,
        "authenticated_domain": message.auth.domain,
    }


def _reply(reply: Reply) -> dict[str, Any]:
    mail = message_from_string(reply.raw, policy=policy.default)
    body = mail.get_body(("plain",))
    text = str(body.get_content()).replace("\r\n", "\n") if body else ""
    attachments = [part.get_filename() for part in mail.iter_attachments()]
    return {"to": reply.to, "subject": reply.subject, "text": text, "attachments": attachments}


def _print(explanation: Explanation) -> None:
    """Print an explanation as text: the email, what was found in it and what was not, the decision, and the replies."""
    from mailbot.runtime.logs import escaped

    fields, annotated = explanation
    message = fields["message"]
    if annotated:
        annotated.print(fields["file"])
    else:
        click.secho(escaped(f"{fields['file']}: {message['subject']}"), bold=True)
    lines = [
        ("from", fields["sender"] or message["from"] or "(no sender)"),
        ("kind", f"{fields['kind']}, {fields['intent']}, in {fields['language']}"),
        ("reason", fields["reason"]),
        ("missing", ", ".join(fields["missing"])),
        ("excluded", ", ".join(fields["exclusions"])),
        ("order", f"{fields['po_number']}{_from(annotated, fields['po_number'])}" if fields["po_number"] else ""),
        *(
            ("unit", f"{i['serial']}{_from(annotated, i['serial'])}: {i['outcome']} by {', '.join(i['clauses'])}")
            for i in fields["items"]
        ),
        *(
            ("not used", f"{s.text}{f' (in {s.where})' if s.where else ''}: {s.why}")
            for s in (annotated.rejected if annotated else ())
        ),
        *((f"{'? ' if s['in_question'] else ''}says", _says(s)) for s in fields["statements"]),
        ("outcome", f"{fields['outcome']}: {fields['why']}"),
        *(("reply", f"to {r['to']}: {r['subject']}") for r in fields["replies"]),
    ]
    for name, text in lines:
        if text:
            click.echo(f"  {click.style(name.ljust(9), dim=True)} {escaped(str(text))}")
    for reply in fields["replies"]:
        click.echo("\n" + "\n".join("    | " + escaped(line) for line in reply["text"].splitlines()) + "\n")


def _says(statement: dict[str, Any]) -> str:
    """Return a statement as a line: its class, its certainty, what decided, its units, and the sentence."""
    name = f"{statement['class'] or 'not classified'} {statement['sub']}".strip()
    units = f" about {', '.join(statement['units'])}" if statement["units"] else ""
    return f"{name} ({statement['certainty']:.0%} by {statement['by']}){units}: {statement['text']}"


def _from(annotated: AnnotatedMessage | None, number: str) -> str:
    sources = annotated.sources(number) if annotated else ""
    return f" (from {sources})" if sources else ""
