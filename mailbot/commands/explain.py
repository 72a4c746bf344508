"""``mailbot explain``: what would be done with a mail, and why. A dry run: nothing is sent, nothing is stored."""

from __future__ import annotations

import email
import mailbox as boxes
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from email.message import Message as Parsed
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from mailbot.commands import options
from mailbot.mail.automated import COMPLAINT
from mailbot.model import Message, Reply, Request, RequestedUnit, Step
from mailbot.strict_toml import ConfigError

if TYPE_CHECKING:
    from mailbot.commands.annotations import AnnotatedMessage
    from mailbot.runtime.pipeline import MailboxContext

_EMPTY = Message(mailbox="", digest="", arrived_at=datetime.min, size=0)  # noqa: DTZ901 - never shown


class Explanation(NamedTuple):
    """What is told of a mail, and the mail to be shown with its marks; None where it could not be processed."""

    told: dict[str, Any]
    marked: AnnotatedMessage | None = None


@click.command()
@options.config
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one for each mail.")
@click.option(
    "--mailbox", "address", metavar="ADDRESS", help="The mailbox it reached; else Delivered-To, To and Cc tell."
)
@options.now("The moment at which the mails arrive.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH...")
def explain(config: Path, address: str | None, now: datetime | None, paths: tuple[Path, ...], *, as_json: bool) -> None:
    """Say what would be done with mails, and why. PATH: .eml files, folders of them, mbox files.

    Each mail is looked at by itself, with the cases of the state at hand. Nothing is sent and nothing is stored. What was
    taken from it is marked in its text; below stands what looks like a serial and was not taken, and why.

    \b
    mailbot explain mail.eml
    mailbot explain --json --now 2026-11-20T10:00:00Z saved-mail/ > decisions.jsonl
    """
    from mailbot.runtime import logs
    from mailbot.settings import load

    world = _DryRun(load(config), address, now)
    try:
        for name, raw in _mails(paths):
            explained = world.explain(name, raw, show=not as_json)
            if as_json:
                click.echo(logs.as_json(explained.told))
            else:
                _tell(explained)
    finally:
        world.close()


class _DryRun:
    """The settings' policies and registries, and the state as it stands, for looking only."""

    def __init__(self, settings: Any, address: str | None, now: datetime | None) -> None:
        from mailbot.commands import loading
        from mailbot.runtime.attachment_process import AttachmentProcess
        from mailbot.runtime.clock import Clock
        from mailbot.runtime.pipeline import MailboxContext
        from mailbot.runtime.registry.registry import Registry

        known = [mailbox.address.lower() for mailbox in settings.file.mailbox]
        if address and address.lower() not in known:
            raise click.BadParameter(
                f"{address} is no mailbox of {settings.name} ({', '.join(known)})", param_hint="--mailbox"
            )
        clock = Clock(now)
        self.store = loading.store(settings, read_only=True)
        self.chosen = address.lower() if address else None
        policies = loading.policies(settings, tried=False)
        self.opener = AttachmentProcess()
        self.rooms: dict[str, MailboxContext] = {
            mailbox.address.lower(): MailboxContext(
                policies[mailbox.address.lower()],
                Registry.open(settings.registry(mailbox), mailbox.policy, None),
                self.store,
                clock,
                open_attachments=self.opener,
            )
            for mailbox in settings.file.mailbox
        }

    def close(self) -> None:
        """Let go of the state."""
        self.opener.close()
        self.store.close()

    def explain(self, name: str, raw: bytes, *, show: bool) -> Explanation:
        """Take one mail along the path, up to the commit; ``show``: with its marks, for a person.

        Raises:
            StateError: the state cannot be read.
            ConfigError: a template that the answer needs is in error.
        """
        from mailbot.intake.reading import read_message
        from mailbot.mail.parse import UnreadableError
        from mailbot.reply.render import TemplateError
        from mailbot.runtime.pipeline import incoming_mail
        from mailbot.runtime.store import StateError

        room = self.rooms[self._reached(raw)]
        now = room.clock.now()
        message = _EMPTY
        try:
            message = read_message(
                incoming_mail(room.policy.desk.address, raw, now), room.policy.desk, room.open_attachments
            )
            return self._taken(name, message, room, now, show=show)
        except StateError:
            raise
        except TemplateError as error:
            raise ConfigError(f"templates: {error}") from error
        except UnreadableError as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 - as in the daemon: whatever one mail does, the next one is handled
            why = f"{type(error).__name__} while it was processed"
        return Explanation(_set_aside(name, room.policy.name, message, why))

    @staticmethod
    def _taken(name: str, message: Message, context: MailboxContext, now: datetime, *, show: bool) -> Explanation:
        from mailbot.commands.annotations import AnnotatedMessage
        from mailbot.core import handle
        from mailbot.policy.context import Context
        from mailbot.runtime.pipeline import find_case, look_up

        case = find_case(message, context)
        known = look_up(message, case, context)
        result = handle(message, case, Context(context.policy, known, now))
        told = _told(name, context.policy.name, message, result, set(known.units))
        request: Request = getattr(result.event, "request", Request("other"))
        return Explanation(told, AnnotatedMessage(message, request, case, known, context.policy.desk) if show else None)

    def _reached(self, raw: bytes) -> str:
        """Return the mailbox that a mail reached: as asked for, else the first that its headers name."""
        if self.chosen:
            return self.chosen
        headers: Parsed = BytesHeaderParser().parsebytes(raw[:100_000])
        for header in ("Delivered-To", "X-Original-To", "To", "Cc"):
            text = " ".join(str(value) for value in headers.get_all(header, [])).lower()
            for address in self.rooms:
                user, _, domain = address.rpartition("@")
                if address in text or (f"{user}+" in text and f"@{domain}" in text):
                    return address
        return next(iter(self.rooms))


def _mails(paths: tuple[Path, ...]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.suffix.lower() in (".eml", ".mbox")) if path.is_dir() else [path]
        if not files:
            raise ConfigError(f"{path}: there is no .eml file in this folder.")
        for file in files:
            with file.open("rb") as handle:
                is_mbox = handle.read(5) == b"From "
            if not is_mbox:
                yield file.name, file.read_bytes()
                continue
            with closing(boxes.mbox(file, create=False)) as box:
                for number, key in enumerate(box.keys(), 1):
                    yield f"{file.name}:{number}", box.get_bytes(key)


def _told(name: str, policy: str, message: Message, result: Step, known: set[str]) -> dict[str, Any]:
    from mailbot.intake.entities.serials import serial_key

    event, decision = result.event, result.decision
    assert event is not None  # noqa: S101 - a mail always is an event
    assert decision is not None  # noqa: S101
    request: Request = getattr(event, "request", Request("other"))
    silent = request.kind in ("bounce", "auto", "list", "spam")
    verdicts = {serial_key(v.serial): v for v in decision.verdicts if v.serial}
    items = [
        {
            "serial": unit.serial,
            "known": serial_key(unit.serial) in known,
            "outcome": verdicts[key].outcome if (key := serial_key(unit.serial)) in verdicts else decision.outcome,
            "clauses": list(verdicts[key].clauses if key in verdicts else decision.clauses),
        }
        for unit in _units(request)
        if decision.outcome != "none"
    ]
    reasons = dict.fromkeys(reason for reason in (unit.reason for unit in request.units) if reason)
    return {
        "file": name,
        "kind": request.kind,
        "policy": policy,
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
        "replies": [_reply(reply) for reply in result.replies],
        "message": _message(message, may_answer=bool(message.answer_to) and not silent),
    }


def _units(request: Request) -> list[RequestedUnit]:
    """Return the units a mail names, each once, those of others too."""
    from mailbot.intake.entities.serials import serial_key

    named = {serial_key(unit.serial): unit for unit in (*request.foreign, *request.units) if unit.serial}
    return list(named.values())


def _set_aside(name: str, policy: str, message: Message, why: str) -> dict[str, Any]:
    request = Request("other")
    return {
        "file": name,
        "kind": "other",
        "policy": policy,
        "sender": None,
        "language": request.language,
        "items": [],
        "reason": "",
        "missing": [],
        "intent": "none",
        "exclusions": [],
        "po_number": None,
        "outcome": "none",
        "why": f"set aside in Attention, staff are told: {why}",
        "replies": [],
        "message": _message(message, may_answer=False),
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
    parsed = email.message_from_string(reply.raw)
    text, attachments = "", []
    for part in parsed.walk():
        if part.get_filename():
            attachments.append(part.get_filename())
        elif part.get_content_type() == "text/plain" and not text:
            content = part.get_payload(decode=True)
            text = content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
    return {"to": reply.to, "subject": reply.subject, "text": text.replace("\r\n", "\n"), "attachments": attachments}


def _tell(explained: Explanation) -> None:
    """Tell a person: what the mail says, what was taken from it and what not, what is decided, and what would go out."""
    from mailbot.runtime.logs import escaped

    told, marked = explained
    message = told["message"]
    if marked:
        marked.show(told["file"])
    else:
        click.secho(escaped(f"{told['file']}: {message['subject']}"), bold=True)
    lines = [
        ("from", told["sender"] or message["from"] or "(nobody)"),
        ("kind", f"{told['kind']}, {told['intent']}, in {told['language']}"),
        ("reason", told["reason"]),
        ("missing", ", ".join(told["missing"])),
        ("excluded", ", ".join(told["exclusions"])),
        ("order", f"{told['po_number']}{_from(marked, told['po_number'])}" if told["po_number"] else ""),
        *(
            ("unit", f"{i['serial']}{_from(marked, i['serial'])}: {i['outcome']} by {', '.join(i['clauses'])}")
            for i in told["items"]
        ),
        *(("not taken", f"{decoy.text}{_at(decoy.where)}: {decoy.why}") for decoy in (marked.decoys if marked else ())),
        ("outcome", f"{told['outcome']}: {told['why']}"),
        *(("mail", f"to {r['to']}: {r['subject']}") for r in told["replies"]),
    ]
    for name, text in lines:
        if text:
            click.echo(f"  {click.style(name.ljust(9), dim=True)} {escaped(str(text))}")
    for reply in told["replies"]:
        click.echo("\n" + "\n".join("    | " + escaped(line) for line in reply["text"].splitlines()) + "\n")


def _from(marked: AnnotatedMessage | None, piece: str) -> str:
    whence = marked.whence(piece) if marked else ""
    return f" (from {whence})" if whence else ""


def _at(where: str) -> str:
    return f" (in {where})" if where else ""
