"""Self-signed certificates for `serve --tls`, kept on disk so that their path stays the same between runs."""

from __future__ import annotations

import ipaddress
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mockserver.errors import UsageError
from mockserver.stub.serving.server import Certificate

_HOST_NAME = re.compile(
    r"(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*"
)
_VALID_DAYS = 365
_NEEDED_DAYS = 2


def self_signed(hosts: Sequence[str]) -> Certificate:
    """Return a self-signed certificate for host names or addresses, `localhost` and the loopback addresses.

    Both files are in the user's cache folder, or in a temporary one where that cannot be written. The certificate is
    kept as long as it is valid for all these names, so that clients need to be told its path once.

    Raises:
        UsageError: a name that no certificate can hold.
    """
    folder = _folder()
    name = "".join(char if char.isalnum() or char in ".-+" else "_" for char in "+".join(hosts))[:200]
    kept = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    names = _names(hosts)
    if not _usable(kept, names):
        _make(kept, names)
    return kept


def _names(hosts: Iterable[str]) -> list[x509.GeneralName]:
    """Return the subject alternative names of a certificate: host names, then addresses.

    Raises:
        UsageError: a name that no certificate can hold.
    """
    names, addresses = {"localhost"}, {"127.0.0.1", "::1"}
    for host in hosts:
        try:
            addresses.add(str(ipaddress.ip_address(host)))
        except ValueError:
            if not _HOST_NAME.fullmatch(host):
                raise UsageError(
                    f"{host!r}: not a name that a certificate can hold; write a host name such as stub.internal, "
                    "*.stub.internal, or an address, without scheme and port"
                ) from None
            names.add(host.lower())
    return [
        *(x509.DNSName(name) for name in sorted(names)),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in sorted(addresses)),
    ]


def _folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(cache) if cache else Path.home() / ".cache") / "mockserver"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass  # a read-only home is no reason not to serve
    return Path(tempfile.mkdtemp(prefix="mockserver-"))


def _usable(kept: Certificate, names: Sequence[x509.GeneralName]) -> bool:
    """Tell whether certificate and key exist, belong together, cover given names and stay valid for some days."""
    try:
        certificate = x509.load_pem_x509_certificate(kept.certificate.read_bytes())
        key = serialization.load_pem_private_key(kept.key.read_bytes(), None)
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    needed = datetime.now(UTC) + timedelta(days=_NEEDED_DAYS)
    return (
        certificate.public_key() == key.public_key()
        and certificate.not_valid_after_utc > needed
        and set(names) <= set(held)
    )


def _make(kept: Certificate, names: Sequence[x509.GeneralName]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mockserver stub")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=_VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(kept.key, key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ))  # fmt: skip
    _write(kept.certificate, certificate.public_bytes(serialization.Encoding.PEM))


def _write(path: Path, content: bytes) -> None:
    """Write a file atomically, readable only by its owner."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
