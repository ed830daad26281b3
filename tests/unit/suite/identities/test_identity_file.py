from __future__ import annotations

import re
from pathlib import Path

import pytest

from mockserver.errors import UsageError
from mockserver.suite.identities.identity_file import load_identities
from mockserver.suite.identities.login_settings import LoginSettings, OAuth2Settings
from tests.unit.suite.test_docs import DOCS


def load(folder: Path, text: str) -> LoginSettings | OAuth2Settings:
    path = folder / "identities.yaml"
    path.write_text(text, encoding="utf-8")
    (identity,) = load_identities(path, {"S": "a-secret-of-the-environment"}).all
    assert identity.issued is not None
    return identity.issued.settings


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("username: a\n    tokn: x", 3, "unknown key 'tokn'"),
        ("username: a\n    login: {}", 3, "needs the identity's password"),
        ("password: p\n    login:\n      tokn: /a", 4, "`login` has the unknown key 'tokn'; known are as, basic"),
        ("password: p\n    login:\n      token: a", 4, "'token' must be a JSON pointer; write it as '/a'"),
        ("password: p\n    login:\n      token: /a\n      cookie: b", 3, "say where the response holds it; give one"),
        ("password: p\n    login: {body: {}, form: {}}", 3, "are three ways to send the same"),
        ("password: p\n    login:\n      as: 'X: y'", 4, "'as' must hold {token}"),
        ("password: p\n    login: {csrf: {header: X}}", 3, "must say where the token is"),
        ("token: t\n    oauth2: {}", 2, "a token and a way to get one"),
        ("username: a\n    oauth2: {client_id: c}", 3, "the grant client_credentials needs `client_secret`; add it"),
        ("username: a\n    oauth2: {grant: password}", 3, "the grant password needs `password`; add it"),
        (
            "username: a\n    oauth2:\n      grant: implicit",
            4,
            "'grant' must be client_credentials, password or refresh",
        ),
        ("headers:\n      Host: x", 3, "Host is not yours to set"),
        ("username: a\n    headers: [x]", 3, "must map names to texts"),
        ("username: a\n    token: ${NO}", 3, "the environment variable NO is not set"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_do(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = tmp_path / "identities.yaml"
    path.write_text(f"identities:\n  - {text}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(message)) as told:
        load_identities(path, {})
    assert str(told.value).startswith(f"{path}:{line}: ")


def test_the_password_grant_takes_the_account_of_the_identity(tmp_path: Path) -> None:
    settings = load(
        tmp_path, 'identities: [{username: ann, password: "${S}", oauth2: {grant: password, client_id: c}}]'
    )
    assert isinstance(settings, OAuth2Settings)
    assert (settings.username, settings.password, settings.auth) == ("ann", "a-secret-of-the-environment", "body")


def test_a_word_is_how_the_token_stands_in_the_authorization_field(tmp_path: Path) -> None:
    settings = load(tmp_path, "identities: [{password: p, login: {as: Token}}]")
    assert settings.send == ("Authorization", "Token {token}")


def test_each_example_of_the_documentation_can_be_loaded(tmp_path: Path) -> None:
    text = DOCS.read_text(encoding="utf-8")
    examples = re.findall(r"^    (?:# identities.yaml\n    )?(identities:\n(?:(?:      .*)?\n)+)", text, re.MULTILINE)
    assert len(examples) >= 6
    kinds = set()
    for number, example in enumerate(examples):
        path = tmp_path / f"{number}.yaml"
        path.write_text(re.sub("^    ", "", example, flags=re.MULTILINE), encoding="utf-8")
        names = re.findall(r"\$\{(\w+)\}", example)
        for identity in load_identities(path, dict.fromkeys(names, "a-value-of-the-environment")).all:
            kinds.add(type(identity.issued.settings) if identity.issued else None)
    assert kinds == {None, LoginSettings, OAuth2Settings}
