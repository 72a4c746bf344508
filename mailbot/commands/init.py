"""``mailbot init``: create a folder for a returns desk."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import click

from mailbot.model import StaffMember


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--policy", required=True, metavar="NAME", help="Which policy to start from, for example american-portwell.")
def init(folder: Path, policy: str) -> None:
    """Create DIR with mailbot.toml, rules/, templates/, state/ and an empty registry.csv.

    Existing files are not overwritten.

    \b
    mailbot init my-desk --policy american-portwell
    cd my-desk && $EDITOR mailbot.toml && mailbot check
    """
    from mailbot.runtime.resources import Resources, packaged, policy_names
    from mailbot.strict_toml import nearest

    known = policy_names(packaged("rules"))
    if policy not in known:
        raise click.BadParameter(f"there is no policy {policy!r}{nearest(policy, known)}.", param_hint="--policy")
    settings = folder / "mailbot.toml"
    if settings.exists():
        raise click.ClickException(f"{settings} already exists; nothing was changed. Choose another folder.")
    desk = Resources.at().policy(policy)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("rules", "templates"):
        if not (folder / name).exists():
            shutil.copytree(packaged(name), folder / name, ignore=shutil.ignore_patterns("examples"))  # those always count
    (folder / "state").mkdir(mode=0o700, exist_ok=True)
    registry = folder / "registry.csv"
    if not registry.exists():
        registry.write_text(_COLUMNS + "\n", encoding="utf-8")
    settings.write_text(
        _SETTINGS.format(
            address=desk.desk.address,
            policy=policy,
            domain=desk.desk.address.rpartition("@")[2],
            zone=desk.timezone,
            variable=re.sub(r"\W", "_", policy).upper() + "_PASSWORD",
            staff="".join(_person(person) for person in desk.desk.staff),
        ),
        encoding="utf-8",
    )
    click.echo(f"{folder} created. Next steps:")
    click.echo(f"  1. edit {settings}: address, servers, staff")
    click.echo(f"  2. fill {registry}: the units you have shipped")
    click.echo(f"  3. set ship_to and the fees in {folder / 'rules' / policy}.toml")
    click.echo(f"  4. mailbot check --config {settings}")


def _person(person: StaffMember) -> str:
    roles = ", ".join(f'"{role}"' for role in person.roles)
    limit = f"  limit = {person.limit}                             # approval limit per command\n" if person.limit else ""
    return f'  [[mailbox.staff]]\n  address = "{person.address}"\n  roles = [{roles}]\n{limit}'


_COLUMNS = "serial,model,family,delivered_on,customer,customer_domain,extended_until,revision,repair_shipped_on,repair_failure"

_SETTINGS = """\
# The settings of this returns desk. `mailbot check` checks them and says how to fix each problem.
# Paths are relative to this file; the folder can be moved.

state = "tinydb:state"
timezone = "{zone}"
start = "from now"                            # on first start: "from now" answers new mail only, "all" also existing mail
poll_seconds = 60                             # how often INBOX is checked; IDLE is used as a hint only
documents = "pdf"                             # "none": no label, packing list, invoice and calendar file are attached

[folders]
root = ""                                     # Done, Ignored and Attention are created below this folder

[[mailbox]]
address = "{address}"
policy = "{policy}"
registry = "registry.csv"
trusted_authserv_id = "mx1.{domain}"          # your mail server's name in Authentication-Results
  [mailbox.imap]
  host = "imap.{domain}"
  port = 993
  security = "tls"                            # tls | starttls | none (none only on loopback)
  user = "rma"
  password_env = "{variable}"                 # or password_file, password_command
  folder = "INBOX"
  [mailbox.smtp]
  host = "smtp.{domain}"
  port = 587
  security = "starttls"
  user = "rma"                                # without user and password, mailbot does not log in
  password_env = "{variable}"
{staff}"""
