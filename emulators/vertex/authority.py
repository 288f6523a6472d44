"""A certificate authority of the emulator's own, so that clients which insist on TLS and Google's host names can come.

Clients trust it by REQUESTS_CA_BUNDLE and GRPC_DEFAULT_SSL_ROOTS_FILE_PATH.
"""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_YEARS = timedelta(days=3650)
# The regional hosts are `us-central1-aiplatform.googleapis.com` and so on.
NAMES = ("localhost", "127.0.0.1", "*.googleapis.com", "aiplatform.googleapis.com")


class Authority:
    """The authority and the certificates that it has issued, kept in one folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate_file = folder / "authority.pem"
        self._folder = folder
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Dropforge emulators")])
        self.certificate_file.write_bytes(_pem(self._own_certificate()))

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
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return private, _pem(certificate) + self.certificate_file.read_bytes()

    def context(self, *names: str) -> ssl.SSLContext:
        """A server's TLS context for these names."""
        if names[0] not in self._contexts:
            key, chain = self.issue(*names)
            files = self._folder / "key.pem", self._folder / "chain.pem"
            for file, content in zip(files, (key, chain), strict=True):
                file.touch(mode=0o600)
                file.write_bytes(content)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(files[1], files[0])
            context.set_alpn_protocols(["http/1.1"])
            self._contexts[names[0]] = context
        return self._contexts[names[0]]

    def context_for_any_name(self) -> ssl.SSLContext:
        """A server's TLS context that has a certificate for whatever host the client asks for: a dedicated endpoint's
        name has more labels than a wildcard covers."""
        context = self.context(*NAMES)

        def by_name(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
            if name:
                connection.context = self.context(name)

        context.sni_callback = by_name
        return context


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
