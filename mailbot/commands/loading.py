"""Load what the settings name: policies, state and registries."""

from __future__ import annotations

from typing import Self

from mailbot.policy.policy import Policy
from mailbot.runtime.attachment_process import AttachmentProcess
from mailbot.runtime.classifier.classifier import ClassifierProcess, ClassifierSettings
from mailbot.runtime.clock import Clock
from mailbot.runtime.pipeline import MailboxContext
from mailbot.runtime.registry.registry import Registry
from mailbot.runtime.resources import Resources, load_examples
from mailbot.runtime.store import Store, open_store
from mailbot.settings import Settings, staff
from mailbot.strict_toml import ConfigError


def policies(settings: Settings, *, will_send: bool = True) -> dict[str, Policy]:
    """Load the policy of every mailbox, by the mailbox's address in lower case.

    If emails will be sent, the company's own templates are checked first. If not, documents are only named, not drawn.

    Raises:
        ConfigError: the text names the file, the line or key, and the fix.
    """
    resources = Resources.at(settings.home)
    problems = resources.letters.check() if will_send and not resources.shipped else []
    if problems:
        raise ConfigError(f"{resources.templates}: {problems[0]}")
    found = {}
    for mailbox in settings.file.mailbox:
        documents = settings.documents(mailbox)
        found[mailbox.address.lower()] = resources.policy(
            mailbox.policy,
            mailbox=mailbox.address,
            staff=staff(mailbox),
            aliases=mailbox.aliases,
            timezone=settings.file.timezone,
            trusted_authserv_id=mailbox.trusted_authserv_id,
            authentication_results=mailbox.authentication_results,
            authority=mailbox.authority,
            certainty=settings.file.reading.certainty,
            documents="names" if documents == "pdf" and not will_send else documents,
        )
    return found


def store(settings: Settings, *, read_only: bool = False) -> Store:
    """Open the state that the settings name.

    Raises:
        StateError: it is damaged, cannot be read or written, or is in use by another process.
        ConfigError: its password is not available.
    """
    return open_store(
        settings.state, read_only=read_only, password=settings.state_password, keep_sent_days=settings.file.keep_sent_days
    )


class Processes:
    """The processes that emails are read with: one opens attachments, one classifies sentences. Close them when done."""

    def __init__(self, classifier: ClassifierSettings | None = None) -> None:
        self.opener, self.classifier = AttachmentProcess(), ClassifierProcess(classifier or ClassifierSettings())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop both processes."""
        self.opener.close()
        self.classifier.close()


def contexts(
    settings: Settings, store: Store, clock: Clock, processes: Processes, *, policies: dict[str, Policy], dry_run: bool = False
) -> dict[str, MailboxContext]:
    """Return the context of every mailbox, by its address in lower case.

    The indexes of the registries are stored next to the state, unless this is a dry run.

    Raises:
        RegistryError: the text names the file, line, column, and the fix.
    """
    if not dry_run:
        settings.local.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = {}
    own = load_examples(settings.home)["own"]
    for mailbox in settings.file.mailbox:
        address = mailbox.address.lower()
        index = None if dry_run else settings.local / f"registry-{address}.db"
        registry = Registry.open(settings.registry(mailbox), mailbox.policy, index)
        found[address] = MailboxContext(
            policies[address],
            registry,
            store,
            clock,
            open_attachments=processes.opener,
            classifier=processes.classifier,
            own_examples=own,
        )
    return found
