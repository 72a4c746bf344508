"""Load what the settings name: policies, state and registries."""

from __future__ import annotations

from mailbot.policy.policy import Policy
from mailbot.reply.render import EmailTemplates
from mailbot.runtime.registry.registry import Registry
from mailbot.runtime.resources import Resources
from mailbot.runtime.store import Store, open_store
from mailbot.settings import MailboxTable, Settings, staff
from mailbot.strict_toml import ConfigError


def policies(settings: Settings, *, will_send: bool = True) -> dict[str, Policy]:
    """Load the policy of every mailbox, by the mailbox's address in lower case.

    Args:
        settings: the settings.
        will_send: emails will be sent, so the company's own templates are checked first and documents are drawn. If
            False, documents are only named.

    Raises:
        ConfigError: the text names the file, the line or key, and the fix.
    """
    resources = Resources.at(settings.home)
    problems = EmailTemplates.check(resources.letters) if will_send and not resources.shipped else []
    if problems:
        raise ConfigError(f"{resources.templates}: {problems[0]}")
    return {
        mailbox.address.lower(): _policy(resources, settings, mailbox, draw_documents=will_send)
        for mailbox in settings.file.mailbox
    }


def _policy(resources: Resources, settings: Settings, mailbox: MailboxTable, *, draw_documents: bool) -> Policy:
    documents = settings.documents(mailbox)
    return resources.policy(
        mailbox.policy,
        mailbox=mailbox.address,
        staff=staff(mailbox),
        aliases=mailbox.aliases,
        timezone=settings.file.timezone,
        trusted_authserv_id=mailbox.trusted_authserv_id,
        authentication_results=mailbox.authentication_results,
        authority=mailbox.authority,
        documents="names" if documents == "pdf" and not draw_documents else documents,
    )


def store(settings: Settings, *, read_only: bool = False) -> Store:
    """Open the state that the settings name.

    Raises:
        StateError: it is damaged, cannot be read or written, or is in use by another process.
        ConfigError: its password is not available.
    """
    return open_store(
        settings.state, read_only=read_only, password=settings.state_password, keep_sent_days=settings.file.keep_sent_days
    )


def registries(settings: Settings) -> dict[str, Registry]:
    """Open the registry of every mailbox, by the mailbox's address in lower case. The indexes are next to the state.

    Raises:
        RegistryError: the text names the file, line, column, and the fix.
    """
    settings.local.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        mailbox.address.lower(): Registry.open(
            settings.registry(mailbox), mailbox.policy, settings.local / f"registry-{mailbox.address.lower()}.db"
        )
        for mailbox in settings.file.mailbox
    }
