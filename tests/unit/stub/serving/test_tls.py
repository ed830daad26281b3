"""Certificates of `serve --tls`: which names they hold, and when one that was kept is made anew."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mockserver.errors import UsageError
from mockserver.stub.serving.server import Certificate
from mockserver.stub.serving.tls import self_signed


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def parsed(made: Certificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(made.certificate.read_bytes())


def is_usable(made: Certificate) -> bool:
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
        made.certificate, made.key
    )  # raises where they do not match
    return parsed(made).not_valid_after_utc > datetime.now(UTC) + timedelta(days=300)


def expire(made: Certificate, days_left: float = -1) -> None:
    """Replace a certificate by one of the same key and names that is valid for some more days."""
    key = serialization.load_pem_private_key(made.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    old = parsed(made)
    builder = x509.CertificateBuilder(old.issuer, old.subject, key.public_key(), old.serial_number)
    builder = builder.not_valid_before(datetime.now(UTC) - timedelta(days=400))
    builder = builder.not_valid_after(datetime.now(UTC) + timedelta(days=days_left))
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    made.certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def tear(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def other_key(made: Certificate) -> None:
    made.key.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


SPOILED: dict[str, Callable[[Certificate], object]] = {
    "expired": expire,
    "expiring within two days": lambda made: expire(made, 1.9),
    "torn certificate": lambda made: tear(made.certificate),
    "torn key": lambda made: tear(made.key),
    "empty certificate": lambda made: made.certificate.write_bytes(b""),
    "no key": lambda made: made.key.unlink(),
    "no certificate": lambda made: made.certificate.unlink(),
    "key of another certificate": other_key,
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_what_cannot_be_used_is_made_anew_at_the_same_place(spoil: Callable[[Certificate], object]) -> None:
    made = self_signed(["127.0.0.1"])
    spoil(made)
    again = self_signed(["127.0.0.1"])
    assert again == made
    assert is_usable(again)


def test_what_can_be_used_is_kept() -> None:
    made = self_signed(["127.0.0.1"])
    before = made.certificate.read_bytes(), made.key.read_bytes()
    expire_later = parsed(self_signed(["127.0.0.1"]))
    assert (made.certificate.read_bytes(), made.key.read_bytes()) == before
    assert expire_later.not_valid_after_utc - expire_later.not_valid_before_utc == timedelta(days=365, minutes=5)
    assert made.key.stat().st_mode & 0o077 == 0


def test_names_and_addresses_beyond_localhost() -> None:
    made = self_signed(["0.0.0.0", "Stub.internal", "*.dev.example", "192.0.2.7"])
    names = parsed(made).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["*.dev.example", "localhost", "stub.internal"]
    addresses = set(map(ip_address, ("127.0.0.1", "::1", "0.0.0.0", "192.0.2.7")))
    assert set(names.get_values_for_type(x509.IPAddress)) == addresses
    plain = self_signed(["0.0.0.0"])
    assert plain.certificate != made.certificate, "a start without the names would take the certificate away"
    assert parsed(made).subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "mockserver stub"


def test_more_names_than_a_file_name_can_hold() -> None:
    first, second = ([f"host-{number}.example" for number in range(60)] for _ in range(2))
    second[-1] = "another.example"
    self_signed(first)
    made = self_signed(second)
    names = parsed(made).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "another.example" in names.get_values_for_type(x509.DNSName)


@pytest.mark.parametrize(
    "name", ["https://stub.internal", "stub.internal:8443", "", "a b", "bücher.example", "-x", "a..b"]
)
def test_a_name_that_no_certificate_can_hold(name: str) -> None:
    with pytest.raises(UsageError, match="not a name that a certificate can hold; write a host name"):
        self_signed(["127.0.0.1", name])
