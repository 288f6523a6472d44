"""A certificate authority of the emulators' own, so that clients which insist on TLS and Google's host names can come.

Clients trust it by REQUESTS_CA_BUNDLE and GRPC_DEFAULT_SSL_ROOTS_FILE_PATH. Each of these names one file, so emulators
that are started together share an authority: that of the folder named by DROPFORGE_EMULATORS_AUTHORITY.
"""

import fcntl
import ssl
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

FOLDER_VARIABLE = "DROPFORGE_EMULATORS_AUTHORITY"
_YEARS = timedelta(days=3650)
# The regional hosts are `us-central1-aiplatform.googleapis.com` and so on.
NAMES = ("localhost", "127.0.0.1", "*.googleapis.com", "aiplatform.googleapis.com")


class Authority:
    """The authority and the certificates that it has issued. It is made once in its folder, and found there again."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate_file = folder / "authority.pem"
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Dropforge emulators")])
        with (folder / "lock").open("w") as lock:  # of two emulators that start at once, one makes it
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._key = self._kept_key(folder / "authority.key")

    @classmethod
    def of(cls, environment: Mapping[str, str], own_folder: Path) -> "Authority":
        """The one that the environment names, else one in `own_folder`."""
        return cls(Path(environment.get(FOLDER_VARIABLE) or own_folder))

    def _kept_key(self, file: Path) -> ec.EllipticCurvePrivateKey:
        """The authority's key; a new one has its certificate written before it, so that neither is ever alone."""
        if file.exists():
            kept = serialization.load_pem_private_key(file.read_bytes(), password=None)
            assert isinstance(kept, ec.EllipticCurvePrivateKey), (
                f"{file} holds another kind of key than is written here"
            )
            return kept
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate_file.write_bytes(_pem(self._own_certificate()))
        part = file.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_bytes(_private(self._key))
        part.rename(file)
        return self._key

    def _own_certificate(self) -> x509.Certificate:
        usage = x509.KeyUsage(
            key_cert_sign=True,
            crl_sign=True,
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        builder = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(True, 0), critical=True)
        builder = builder.add_extension(usage, critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        return builder.add_extension(identifier, critical=False).sign(self._key, hashes.SHA256())

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
        return builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + _YEARS)

    def issue(self, *names: str) -> tuple[bytes, bytes]:
        """A key and a certificate chain for host names and addresses, both PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = self._builder(subject, key).add_extension(alternatives, critical=False)
        builder = builder.add_extension(issuer, critical=False)
        certificate = builder.add_extension(x509.BasicConstraints(False, None), critical=True).sign(
            self._key, hashes.SHA256()
        )
        return _private(key), _pem(certificate) + self.certificate_file.read_bytes()

    def context(self, *names: str, protocol: str = "http/1.1") -> ssl.SSLContext:
        """A server's TLS context for these names, and the protocol (ALPN) that is spoken within: `http/1.1` or `h2`."""
        if names[0] not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            with tempfile.NamedTemporaryFile() as file:  # OpenSSL reads them from a file only; this one is its owner's
                file.write(b"".join(self.issue(*names)))
                file.flush()
                context.load_cert_chain(file.name)
            context.set_alpn_protocols([protocol])
            self._contexts[names[0]] = context
        return self._contexts[names[0]]

    def context_for_any_name(self, protocol: str = "http/1.1") -> ssl.SSLContext:
        """A server's TLS context that has a certificate for whatever host the client asks for: a dedicated endpoint's
        name has more labels than a wildcard covers."""
        context = self.context(*NAMES, protocol=protocol)

        def by_name(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
            if name:
                connection.context = self.context(name, protocol=protocol)

        context.sni_callback = by_name
        return context


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
