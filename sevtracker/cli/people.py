"""``sevtracker user add`` and ``sevtracker token create``. Who can open the database needs no further permission."""

from __future__ import annotations

import sys

import click

from sevtracker.actions import people as acts
from sevtracker.actions.inputs import NewPerson, NewToken, parse
from sevtracker.cli.common import as_json, opened, show
from sevtracker.domain.vocabulary import Role
from sevtracker.errors import InputError, NotFound
from sevtracker.store import people


@click.group()
def user() -> None:
    """People."""


@user.command()
@click.argument("email")
@click.option("--name", required=True, help="As others see it.")
@click.option("--role", required=True, type=click.Choice([r.value for r in Role]))
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, up to the first line end.")
@as_json
def add(email: str, name: str, role: str, password_stdin: bool, as_json: bool) -> None:
    """Add somebody. Without a password, prints a one-time link on which they set one."""
    raw: dict[str, object] = {"email": email, "name": name, "role": role}
    if password_stdin:
        raw["password"] = sys.stdin.readline().rstrip("\r\n")
    given = parse(NewPerson, raw)
    with opened(create=True) as runtime:
        with runtime.work(None) as work:
            added = acts.add(work, given)
        link = added.link_token and f"{runtime.settings.server.public_url}/set-password/{added.link_token}"
    text = f"{given.email} is added as {given.role.value}."
    if link:
        text += f"\nTheir link to set a password; it works once, for 24 hours:\n  {link}"
    show({"email": given.email, "role": given.role.value, "link": link}, text, in_json=as_json)


@click.group()
def token() -> None:
    """Bearer tokens for scripts."""


@token.command()
@click.argument("email")
@click.option("--name", required=True, help="What it is for.")
@as_json
def create(email: str, name: str, as_json: bool) -> None:
    """Create a token for somebody. Prints it and nothing else, this once: it is stored as a hash only."""
    given = parse(NewToken, {"name": name})
    with opened() as runtime, runtime.work(None) as work:
        person = people.by_email(work.session, email)
        if person is None:
            raise NotFound(f"There is nobody with the e-mail address {email}.")
        if not person.active:
            raise InputError.of("email", "This person can't sign in any more.")
        secret = acts.create_token(work, person, given.name)
    show({"token": secret}, secret, in_json=as_json)
