"""SHA512-Crypt as its specification has it, and what hashes of a stub add to it."""

from __future__ import annotations

import pytest

from mockserver.builtin.mailcheap import passwords

#: The test vectors of "Unix crypt using SHA-256 and SHA-512": salt with rounds, password, hash.
VECTORS = {
    "$6$saltstring": (
        "Hello world!",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    ),
    "$6$rounds=10000$saltstringsaltstring": (
        "Hello world!",
        "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/"
        "y3RnOaw5v.",
    ),
    "$6$rounds=5000$toolongsaltstring": (
        "This is just a test",
        "$6$rounds=5000$toolongsaltstrin$lQ8jolhgVRVhY4b5pZKaysCLi0QBxGoNeKQzQ3glMhwllF7oGDZxUhx1yxdYcz/e1JSbq3y6JMxxl8"
        "audkUEm0",
    ),
    "$6$rounds=1400$anotherlongsaltstring": (
        "a very much longer text to encrypt.  This one even stretches over morethan one line.",
        "$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGq"
        "d8p4ur1",
    ),
    "$6$rounds=77777$short": (
        "we have a short salt string but not a short password",
        "$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0",
    ),
    "$6$rounds=10$roundstoolow": (
        "the minimum number is still observed",
        "$6$rounds=1000$roundstoolow$kUMsbe306n21p9R.FRkW3IGn.S9NPN0x50YhH1xhLsPuWGsUSklZt58jaTfF4ZEQpyUNGc0dqbpBYYBaHHr"
        "sX.",
    ),
}
#: Its one vector with more rounds than a stub has time for.
SLOW = (
    "a short string",
    b"asaltof16chars..",
    123_456,
    "BtCwjqMJGx5hrJhZywWvt0RLE8uZ4oPwcelCjmw2kSYu.Ec6ycULevoBK25fs2xXgMNrCzIMVcgEJAstJeonj1",
)
OF_NONE = "$6$rounds=1000$saltstring$" + 86 * "."


@pytest.mark.parametrize(("password", "hashed"), VECTORS.values(), ids=VECTORS.keys())
def test_vectors_of_the_specification(password: str, hashed: str) -> None:
    assert passwords.hash_matches(password, hashed)
    assert passwords.hash_matches(password, passwords.PREFIX + hashed)
    assert not passwords.hash_matches(password + " ", hashed)


def test_the_vector_with_many_rounds() -> None:
    password, salt, rounds, digest = SLOW
    assert passwords._digest(password.encode(), salt, rounds) == digest


@pytest.mark.parametrize("password", ["", "x", "Some-Password-1", "Пароль-Straße-密码-1", "\ud800", 4096 * "x"])
def test_a_hash_is_that_of_its_password_alone(password: str) -> None:
    hashed = passwords.make_hash("bob@vonmail.com", password)
    assert hashed.startswith("{SHA512-CRYPT}$6$rounds=1000$")
    assert passwords.hash_matches(password, hashed)
    assert not passwords.hash_matches(password[:-1] + "y", hashed)
    assert hashed != passwords.make_hash("eve@vonmail.com", password)
    assert hashed == passwords.make_hash("bob@vonmail.com", password)


def test_a_nul_ends_a_password_that_is_hashed_and_none_that_is_checked() -> None:
    hashed = passwords.make_hash("bob", "secret\0more")
    assert hashed == passwords.make_hash("bob", "secret")
    assert passwords.hash_matches("secret", hashed)
    assert not passwords.hash_matches("secret\0more", hashed)


@pytest.mark.parametrize(
    "hashed",
    [
        "",
        "secret",
        "$6$",
        OF_NONE[:-1],
        OF_NONE + ".",
        OF_NONE + "\n",
        OF_NONE.replace("$6$", "$5$"),
        OF_NONE.replace("saltstring", "salt-string"),
        OF_NONE.replace("saltstring", 17 * "s"),
        OF_NONE.replace("1000", "999"),
        OF_NONE.replace("1000", "01000"),
        OF_NONE.replace("1000", "100000"),
        OF_NONE.replace("1000", "\u0661\u0660\u0660\u0660"),
    ],
)
def test_what_is_no_hash_is_nobodys(hashed: str) -> None:
    assert not passwords.hash_matches("secret", hashed)


def test_a_password_that_is_too_long_to_be_checked_is_nobodys() -> None:
    assert not passwords.hash_matches(4097 * "x", passwords.make_hash("bob", 4097 * "x"))
