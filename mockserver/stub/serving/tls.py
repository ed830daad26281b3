"""Self-signed certificates for `serve --tls`, kept on disk so that their path stays the same between runs."""

from __future__ import annotations

import ipaddress
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mockserver.stub.serving.server import Certificate

_VALID_DAYS = 365
_NEEDED_DAYS = 2


def self_signed(host: str) -> Certificate:
    """Return a self-signed certificate for a host name or address, `localhost` and the loopback addresses.

    Both files lie in the user's cache folder, or in a temporary one where that cannot be written.
    """
    folder = _folder()
    name = "".join(char if char.isalnum() or char in ".-" else "_" for char in host)
    kept = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    if not _usable(kept):
        _make(kept, host)
    return kept


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


def _usable(kept: Certificate) -> bool:
    """Tell whether certificate and key exist, belong together and stay valid for some days."""
    try:
        certificate = x509.load_pem_x509_certificate(kept.certificate.read_bytes())
        key = serialization.load_pem_private_key(kept.key.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        return False
    needed = datetime.now(UTC) + timedelta(days=_NEEDED_DAYS)
    return certificate.public_key() == key.public_key() and certificate.not_valid_after_utc > needed


def _make(kept: Certificate, host: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mockserver stub")])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    addresses = {"127.0.0.1", "::1"}
    try:
        addresses.add(str(ipaddress.ip_address(host)))
    except ValueError:
        names.append(x509.DNSName(host))
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in sorted(addresses)]
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
