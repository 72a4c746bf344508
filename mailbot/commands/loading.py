"""Settings -> what a desk works by: the policies loaded, the registries opened."""

from __future__ import annotations

from mailbot.policy.policy import Policy
from mailbot.reply.render import EmailTemplates
from mailbot.runtime.registry.registry import Registry
from mailbot.runtime.resources import Resources
from mailbot.runtime.store import Store, open_store
from mailbot.settings import MailboxTable, Settings, staff
from mailbot.strict_toml import ConfigError


def policies(settings: Settings, *, tried: bool = True) -> dict[str, Policy]:
    """Load the policy of every mailbox.

    Args:
        settings: the settings.
        tried: mails will be sent: the company's own templates are tried out first, and documents are drawn. Otherwise
            documents are only named.

    Raises:
        ConfigError: naming file, line or key, and the mend.
    """
    library = Resources.at(settings.home)
    problems = EmailTemplates.check(library.letters) if tried and not library.shipped else []
    if problems:
        raise ConfigError(f"{library.templates}: {problems[0]}")
    return {
        mailbox.address.lower(): _policy(library, settings, mailbox, drawn=tried) for mailbox in settings.file.mailbox
    }


def _policy(library: Resources, settings: Settings, mailbox: MailboxTable, *, drawn: bool) -> Policy:
    documents = settings.documents(mailbox)
    return library.policy(
        mailbox.policy,
        mailbox=mailbox.address,
        staff=staff(mailbox),
        aliases=mailbox.aliases,
        timezone=settings.file.timezone,
        trusted_authserv_id=mailbox.trusted_authserv_id,
        authentication_results=mailbox.authentication_results,
        authority=mailbox.authority,
        documents="names" if documents == "pdf" and not drawn else documents,
    )


def store(settings: Settings, *, read_only: bool = False) -> Store:
    """Open the state that the settings name.

    Raises:
        StateError: it cannot be trusted, read or written, or another process has it.
        ConfigError: its password cannot be had.
    """
    return open_store(
        settings.state,
        read_only=read_only,
        password=settings.state_password,
        keep_sent_days=settings.file.keep_sent_days,
    )


def registries(settings: Settings) -> dict[str, Registry]:
    """Open the registry of every mailbox, indexed beside the state.

    Raises:
        RegistryError: naming file, line, column, and the mend.
    """
    settings.local.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        mailbox.address.lower(): Registry.open(
            settings.registry(mailbox), mailbox.policy, settings.local / f"registry-{mailbox.address.lower()}.db"
        )
        for mailbox in settings.file.mailbox
    }
