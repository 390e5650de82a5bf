"""People: add, change, sign in, tokens. Passwords are argon2id; tokens and links are known by their hash only."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from sevtracker.actions.enforce import May, require
from sevtracker.actions.inputs import ChangePerson, NewPerson
from sevtracker.config import Auth
from sevtracker.domain.vocabulary import Role
from sevtracker.errors import Conflict, InputError, NotFound, NotSignedIn, Throttled
from sevtracker.store import people
from sevtracker.store.tables import ApiToken, Person, SigninLink
from sevtracker.store.work import Work

LINK_VALID = timedelta(hours=24)
_HASHER = PasswordHasher()
#: Verified when there is no such account, so that the answer takes as long. Nobody knows of what it is the hash; it is
#: written down because making one takes its time, and importing this should not.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$Q3qoW5HJYioOGrsuU0CdVA$DmaWIAAOI+QSVkDW4wj6/f87Hr1FoHH6kCRIhKEco3U"


def fingerprint(secret: str) -> str:
    """What is stored of a token or link: its SHA-256, in hex. They are 256 random bits, so no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Added:
    """Somebody new; ``link_token`` is their one-time link's secret, if they have no password yet."""

    person: Person
    link_token: str | None


def add(work: Work, given: NewPerson) -> Added:
    """Add somebody. Raises InputError if the e-mail address is taken. On the command line nobody is signed in."""
    if work.person is not None:
        require(work.by, May.manage_people)
    if people.by_email(work.session, given.email) is not None:
        raise InputError.of("email", "Somebody has this e-mail address already.")
    person = Person(
        pid=str(uuid.uuid4()),
        email=given.email,
        name=given.name,
        role=given.role,
        password_hash=_HASHER.hash(given.password) if given.password else None,
        created_at=work.now,
    )
    work.session.add(person)
    work.session.flush()
    work.record("person:added", facts={"person": person.pid, "role": given.role.value})
    return Added(person, None if given.password else _link(work, person.id))


def _link(work: Work, person_id: int | None) -> str:
    token = secrets.token_urlsafe(32)
    work.session.add(
        SigninLink(
            token_hash=fingerprint(token), person_id=person_id, created_at=work.now, expires_at=work.now + LINK_VALID
        )
    )
    return token


def first_link(work: Work) -> str | None:
    """The secret of a one-time link that creates the first admin; None once there is somebody."""
    return None if people.anybody(work.session) else _link(work, None)


def link_for(work: Work, person_id: int) -> str:
    """A new one-time link for somebody who lost their password."""
    require(work.by, May.manage_people)
    person = _person(work, person_id)
    work.record("person:link_made", facts={"person": person.pid})
    return _link(work, person_id)


def change(work: Work, person_id: int, given: ChangePerson) -> None:
    """Change somebody's role, or end or restore their access. Nobody changes themselves."""
    require(work.by, May.manage_people)
    person = _person(work, person_id)
    if person.id == work.by.id:
        raise Conflict("Nobody changes their own role or access; ask another admin.")
    if given.role is not None and given.role is not person.role:
        work.record("role:changed", facts={"person": person.pid, "old": person.role.value, "new": given.role.value})
        person.role = given.role
    if given.active is not None and given.active != person.active:
        person.active = given.active
        work.record("person:restored" if given.active else "person:deactivated", facts={"person": person.pid})
    person.session_epoch += 1
    work.session.add(person)


def _person(work: Work, person_id: int) -> Person:
    person = people.by_id(work.session, person_id)
    if person is None:
        raise NotFound("There is no such person.")
    return person


# ---- signing in --------------------------------------------------------------------------------------------------


def sign_in(work: Work, auth: Auth, email: str, password: str, address: str) -> Person | None:
    """Check e-mail and password. Returns None (and keeps the failure) if they are not right; the caller says so.

    Raises Throttled when this account or this address has failed too often lately; the password is not looked at then.
    """
    subjects = [fingerprint(f"account:{email.strip().lower()}"), fingerprint(f"address:{address}")]
    _throttle(work, auth, subjects)
    person = people.by_email(work.session, email)
    if _right(person, password) and person is not None and person.active:
        people.clear_failures(work.session, subjects[0])
        return person
    people.add_failures(work.session, subjects, work.now)
    people.forget_failures(work.session, work.now - 2 * auth.throttle.window)
    return None


def _throttle(work: Work, auth: Auth, subjects: list[str]) -> None:
    """An account may fail ``max_failures`` times a window; an address ten times as often, for there are shared ones."""
    account, address = subjects
    failed = people.failures_since(work.session, subjects, work.now - auth.throttle.window)
    for subject, most in ((account, auth.throttle.max_failures), (address, 10 * auth.throttle.max_failures)):
        times = failed.get(subject, [])
        if len(times) >= most:
            wait = (times[-most] + auth.throttle.window - work.now).total_seconds()
            raise Throttled("Too many failed sign-ins. Wait a while, then try again.", max(wait, 1.0))


def _right(person: Person | None, password: str) -> bool:
    stored = person.password_hash if person and person.password_hash else None
    try:
        _HASHER.verify(stored or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def welcome(work: Work, token: str, given: NewPerson) -> Person:
    """Create the first admin with the one-time link that the first start printed. Raises NotSignedIn for a bad link."""
    link = _use(work, token)
    if link.person_id is not None or people.anybody(work.session):
        raise NotSignedIn("This link was made for something else, or somebody was here first.")
    return add(work, given).person


def set_password(work: Work, token: str, password: str) -> Person:
    """Set a password with a one-time link; ends that person's other sessions. Raises NotSignedIn for a bad link."""
    link = _use(work, token)
    person = people.by_id(work.session, link.person_id) if link.person_id else None
    if person is None or not person.active:
        raise NotSignedIn("This link is for nobody who can sign in.")
    _new_password(work, person, password)
    return person


def change_password(work: Work, old: str, new: str) -> Person:
    """Change one's own password; ends one's other sessions. Raises InputError if the old one is not right."""
    person = _person(work, work.by.id)
    if not _right(person, old):
        raise InputError.of("old", "This is not your present password.")
    _new_password(work, person, new)
    return person


def _new_password(work: Work, person: Person, password: str) -> None:
    person.password_hash = _HASHER.hash(password)
    person.session_epoch += 1
    work.session.add(person)
    work.record("person:password_set", facts={"person": person.pid})


def _use(work: Work, token: str) -> SigninLink:
    link = people.link(work.session, fingerprint(token))
    if link is None or link.used_at is not None or link.expires_at <= work.now:
        raise NotSignedIn("This link was used already, has expired, or never was.")
    link.used_at = work.now
    work.session.add(link)
    return link


def link_is_good(link: SigninLink | None, now: datetime) -> bool:
    """Would this link work now?"""
    return link is not None and link.used_at is None and link.expires_at > now


# ---- tokens ------------------------------------------------------------------------------------------------------


def create_token(work: Work, person: Person | people.Signed, name: str) -> str:
    """A new bearer token for ``person``. This is the only time that anybody sees it."""
    secret = f"sev_{secrets.token_urlsafe(32)}"
    work.session.add(ApiToken(person_id=person.id or 0, name=name, token_hash=fingerprint(secret), created_at=work.now))
    work.record("token:created", facts={"person": person.pid})
    return secret


def revoke_token(work: Work, token_id: int) -> None:
    """Revoke one of one's own tokens, or as an admin anybody's."""
    token = people.token(work.session, token_id)
    admin = work.by.role is Role.admin
    if token is None or (token.person_id != work.by.id and not admin):
        raise NotFound("There is no such token.")
    if token.revoked_at is None:
        token.revoked_at = work.now
        work.session.add(token)
        owner = _person(work, token.person_id)
        work.record("token:revoked", facts={"person": owner.pid})


def touch_token(work: Work, token_id: int) -> None:
    """Remember that a token was used; called at most once a minute a token."""
    people.token_used(work.session, token_id, work.now)
