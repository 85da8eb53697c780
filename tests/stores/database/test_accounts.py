from __future__ import annotations

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from tests.stores.database.people import People

from labelmill.errors import AccessError, ConflictError, UsageError
from labelmill.stores.database import accounts, passwords, sessions
from labelmill.stores.database.account_tables import identities, links, tokens
from labelmill.stores.database.accounts import User

PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Passwords cost nothing here, but where their cost is the point."""
    if "secrets" not in request.node.name:
        monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def newcomer(people: People, name: str = "Ann", role: accounts.Role = "annotator") -> User:
    """Somebody who came by an invitation."""
    secret = accounts.create_link(people.database, "invitation", project=people.project, role=role)
    return accounts.accept_link(people.database, secret, password=PASSWORD, name=name)


def test_first_admin_by_set_up_link(people: People) -> None:
    """A new server has no account; the set-up link makes one admin, once."""
    old = accounts.create_link(people.database, "setup")
    secret = accounts.create_link(people.database, "setup")
    before = accounts.has_admin(people.database)

    admin = accounts.accept_link(people.database, secret, password=PASSWORD, name="Root")

    assert (False, True, True) == (before, accounts.has_admin(people.database), admin.is_admin)
    for used in (secret, old):
        with pytest.raises(AccessError, match="ask for a new one"):
            accounts.accept_link(people.database, used, password=PASSWORD, name="other")
    with pytest.raises(ConflictError):
        accounts.create_link(people.database, "setup")


def test_invitation_gives_its_role(people: People) -> None:
    """An invitation makes an account with the role it names in its project, and signs in by name in any case."""
    ann = newcomer(people, "Ann", "lead")

    assert "lead" == accounts.role_in(people.database, people.project, ann.id)
    assert ann == accounts.check_password(people.database, "ANN", PASSWORD)
    assert [("ann", "lead")] == [(m.user.name, m.role) for m in accounts.list_members(people.database, people.project)]


def test_links_end(people: People) -> None:
    """After its days a link is worth nothing."""
    secret = accounts.create_link(people.database, "invitation", project=people.project, role="lead", valid_days=1)
    people.clock.pass_seconds(86_401)

    with pytest.raises(AccessError):
        accounts.accept_link(people.database, secret, password=PASSWORD, name="Ann")


def test_taken_name_leaves_the_link(people: People) -> None:
    """Who chose a taken name or a short password tries again with the same link."""
    newcomer(people, "Ann")
    secret = accounts.create_link(people.database, "invitation", project=people.project, role="lead")

    with pytest.raises(ConflictError, match="taken"):
        accounts.accept_link(people.database, secret, password=PASSWORD, name="ann")
    with pytest.raises(UsageError, match="8 characters"):
        accounts.accept_link(people.database, secret, password="short", name="Bob")

    assert "bob" == accounts.accept_link(people.database, secret, password=PASSWORD, name="Bob").name


def test_wrong_name_and_wrong_password_look_alike(people: People) -> None:
    """Nobody learns which accounts exist."""
    ann = newcomer(people)
    accounts.disable_user(people.database, newcomer(people, "Gone"))
    said = []
    for name, password in ((ann.name, "wrong"), ("nobody", PASSWORD), ("Gone", PASSWORD)):
        with pytest.raises(AccessError) as refused:
            accounts.check_password(people.database, name, password)
        said.append(str(refused.value))

    assert 1 == len(set(said))


def test_secrets_are_not_stored(people: People) -> None:
    """The tables hold hashes: argon2id with OWASP's profile of passwords, SHA-256 of links and tokens."""
    ann = newcomer(people)
    link = accounts.create_link(people.database, "password", user=ann)
    token = sessions.create_token(people.database, ann, "script", ["read"])

    with people.database.read() as connection:
        stored = connection.execute(sa.text("SELECT password FROM users WHERE password IS NOT NULL")).scalars().all()
        digests = connection.execute(sa.select(links.c.digest).union(sa.select(tokens.c.digest))).scalars().all()
    assert all(text.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for text in stored)
    assert not {link, token.secret} & set(digests)
    assert token.secret.startswith("lm_")


def test_new_password_ends_sessions(people: People) -> None:
    """A password set anew signs everybody with the old one out."""
    ann = newcomer(people)
    cookie = sessions.open_session(people.database, ann)
    before = sessions.session_user(people.database, cookie)
    secret = accounts.create_link(people.database, "password", user=ann)

    accounts.accept_link(people.database, secret, password="another one")

    assert ann.id == before
    with pytest.raises(AccessError):
        sessions.session_user(people.database, cookie)
    with pytest.raises(AccessError):
        accounts.check_password(people.database, "ann", PASSWORD)
    assert ann == accounts.check_password(people.database, "ann", "another one")


@pytest.mark.parametrize("act", ["disable", "role", "remove", "forget", "close", "wait", "idle"])
def test_sessions_end(people: People, act: str) -> None:
    """Sessions end when somebody is disabled, changes role, leaves, is forgotten, signs out, or after their time."""
    ann = newcomer(people)
    cookie = sessions.open_session(people.database, ann)

    if act == "disable":
        accounts.disable_user(people.database, ann)
    elif act == "role":
        accounts.set_role(people.database, people.project, ann, "lead")
    elif act == "remove":
        accounts.remove_member(people.database, people.project, ann)
    elif act == "forget":
        accounts.forget_user(people.database, ann)
    elif act == "close":
        sessions.close_session(people.database, cookie)
    else:
        people.clock.pass_seconds(86_400 * (31 if act == "wait" else 8))

    with pytest.raises(AccessError):
        sessions.session_user(people.database, cookie)


def test_signs_of_life_keep_a_session(people: People) -> None:
    """Who comes every few days stays signed in, up to a month."""
    cookie = sessions.open_session(people.database, newcomer(people))
    for _ in range(4):
        people.clock.pass_seconds(6 * 86_400)
        sessions.session_user(people.database, cookie)

    people.clock.pass_seconds(7 * 86_400)

    with pytest.raises(AccessError):
        sessions.session_user(people.database, cookie)


def test_tokens_have_scope_project_and_end(people: People) -> None:
    """A token opens what it names until it is revoked, over, or its owner is disabled."""
    machine = accounts.add_machine(people.database, people.project, "worker")
    made = [
        sessions.create_token(
            people.database, machine, f"t{i}", {"work", "read"}, project=people.project, valid_days=days
        )
        for i, days in enumerate((1, 90, 90))
    ]
    owner = sessions.token_owner(people.database, made[0].secret)
    sessions.revoke_token(people.database, machine, made[1].id)
    people.clock.pass_seconds(86_401)

    assert (machine.id, people.project.id, ("read", "work")) == (owner.user, owner.project, owner.scopes)
    assert [False, True, False] == [token.is_revoked for token in sessions.list_tokens(people.database, machine)]
    for token in (*made[:2], made[2]._replace(secret="lm_guess")):
        with pytest.raises(AccessError):
            sessions.token_owner(people.database, token.secret)
    assert machine.id == sessions.token_owner(people.database, made[2].secret).user
    accounts.disable_user(people.database, machine)
    with pytest.raises(AccessError):
        sessions.token_owner(people.database, made[2].secret)


def test_forgotten_people_leave_their_votes(people: People) -> None:
    """Forgetting drops the name; the votes stay under the random id."""
    ann = newcomer(people)
    people.put("a")
    people.answer(ann.id, people.take(ann.id))

    accounts.forget_user(people.database, ann)

    assert 0 == people.count(sa.select(sa.func.count()).select_from(identities))
    assert ann.public_id == accounts.find_user(people.database, ann.public_id).name
    from labelmill.stores.database.votes import current_votes

    assert [ann.public_id] == [vote.annotator for vote in current_votes(people.database, people.project)]


def test_role_fits_the_account(people: People) -> None:
    """A machine stays a machine, a person a person."""
    machine = accounts.add_machine(people.database, people.project, "worker")

    with pytest.raises(UsageError, match="machine"):
        accounts.set_role(people.database, people.project, machine, "admin")
    with pytest.raises(UsageError):
        accounts.set_role(people.database, people.project, newcomer(people), "machine")


@pytest.mark.parametrize("password", ["", "short", "x" * 1001, "\0" * 9, "\ud800" * 9])
def test_bad_passwords_are_refused(password: str) -> None:
    """Too short, too long, or what cannot be stored."""
    with pytest.raises(UsageError):
        passwords.hash_password(password)
    assert not passwords.is_right(None, password)
