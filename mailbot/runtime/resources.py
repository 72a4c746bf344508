"""Load rules, word lists and templates, the company's own or the packaged ones, and make policies from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import mailbot
from mailbot.case.numbers import pattern
from mailbot.intake.desk import Authority, Desk
from mailbot.intake.statements import word_lists
from mailbot.intake.statements.example_sentences import Example, own_examples, packaged_examples
from mailbot.mail.authentication import Profile
from mailbot.model import StaffMember
from mailbot.policy.policy import Documents, Policy, load_rules
from mailbot.policy.rules import Rules
from mailbot.reply.documents.texts import DocumentTexts
from mailbot.reply.render import EmailTemplates
from mailbot.strict_toml import ConfigError, nearest

_HERE = Path(mailbot.__file__).parent


def packaged(kind: str) -> Path:
    """Return the folder of the packaged ``rules`` or ``templates``: in the wheel, or else in the source tree."""
    inside = _HERE / "_data" / kind
    return inside if inside.is_dir() else _HERE.parent / kind


def source_folder(kind: str, home: Path | None) -> Path:
    """Return the company's own folder if it has one, else the packaged one."""
    return home / kind if home and (home / kind).is_dir() else packaged(kind)


OWN_EXAMPLES = "examples.tsv"
"""The file in a company's rules folder with its own example sentences. The packaged ones always count as well."""


def load_examples(home: Path | None = None) -> dict[str, tuple[Example, ...]]:
    """Return the example sentences by source: ``packaged``, and ``own`` of a settings folder.

    Raises ConfigError: the text names the file, the line and the fix.
    """
    files = {path.stem: _text(path) for path in sorted((packaged("rules") / "examples").glob("*.tsv"))}
    own = source_folder("rules", home) / OWN_EXAMPLES
    return {"packaged": packaged_examples(files), "own": own_examples(_text(own), str(own)) if own.is_file() else ()}


DOUBTS = "doubts.txt"
"""The packaged examples that contradicted the others when the model was trained, one in a line."""


def packaged_doubts() -> list[str]:
    """Return the packaged examples that contradict the others, each with the class that these suggest."""
    file = packaged("rules") / "examples" / DOUBTS
    return _text(file).splitlines() if file.is_file() else []


def policy_names(rules: Path) -> list[str]:
    """Return the names of the policies in a folder of rules."""
    return sorted(path.stem for path in rules.glob("*.toml"))


class Resources:
    """The rules, word lists and email templates of one installation, read once.

    Raises ConfigError: the text names the file, the line or key, and the fix.
    """

    def __init__(self, rules: Path, templates: Path) -> None:
        self.rules, self.templates = rules, templates
        own = rules / "words"
        lists = own if own.is_dir() else packaged("rules") / "words"
        self.words = word_lists.load({path.stem: _text(path) for path in sorted(lists.glob("*.toml"))})
        self.papers = {
            path.parent.name: DocumentTexts.of(_text(path), str(path)) for path in sorted(templates.glob("default/*/papers.toml"))
        }
        self.letters = EmailTemplates.of(_texts(templates))

    @property
    def shipped(self) -> bool:
        """Whether the templates are the packaged ones, unchanged. These need no check."""
        folder = packaged("templates")
        return self.templates == folder or self.letters.sources == EmailTemplates.of(_texts(folder)).sources

    @classmethod
    def at(cls, home: Path | None = None) -> Resources:
        """Return the resources of a settings folder. The packaged ones replace missing folders."""
        return cls(source_folder("rules", home), source_folder("templates", home))

    def policy(
        self,
        name: str,
        *,
        mailbox: str | None = None,
        staff: Sequence[StaffMember] | None = None,
        aliases: Sequence[str] = (),
        timezone: str | None = None,
        trusted_authserv_id: str | None = None,
        authentication_results: Profile = "standard",
        authority: Authority = "confirm",
        certainty: float = 0.83,
        documents: Documents | Literal["names"] = "pdf",
        overlay: Mapping[str, Any] | None = None,
    ) -> Policy:
        """Load a policy for a desk. Without ``mailbox`` or ``staff``, those of the policy's demo are used.

        Raises ConfigError: the text names the file, the line or key, and the fix.
        """
        path = self.rules / f"{name}.toml"
        if not path.is_file():
            raise ConfigError(f"{path}: there is no policy {name!r}{nearest(name, policy_names(self.rules))}.")
        rules, stamp = load_rules(name, _text(path), str(path), overlay)
        desk = Desk(
            address=(mailbox or rules.demo.mailbox).lower(),
            words=self.words,
            staff=tuple(demo_staff(rules) if staff is None else staff),
            aliases=tuple(alias.lower() for alias in aliases),
            serial_forms=rules.serials.forms,
            model_forms=rules.serials.models,
            number_form=pattern(rules.number.format),
            currency=next((fee.currency for fee in rules.fees.values()), ""),
            trusted_authserv_id=trusted_authserv_id,
            authentication_results=authentication_results,
            authority=authority,
            certainty=certainty,
        )
        zone = timezone or rules.policy.timezone.value
        return Policy(name, rules, stamp, desk, self.letters, zone, self.papers, documents)


def demo_staff(rules: Rules) -> list[StaffMember]:
    """Return the staff of the policy's demo."""
    return [StaffMember(person.address.lower(), person.roles, person.limit) for person in rules.demo.staff]


def _texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): _text(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not valid UTF-8: {error.reason} at byte {error.start}. Save the file as UTF-8.") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}.") from None
