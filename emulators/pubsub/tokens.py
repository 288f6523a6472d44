"""OpenID Connect tokens on pushes, signed with keys of the emulator's own, and those keys for who verifies.

The claims are those of https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions.
"""

import base64
import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

ISSUER = "https://accounts.google.com"
_LIFETIME_SECONDS = 3600


class Signer:
    """One RSA key, made when first needed, and what it signs."""

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @cached_property
    def key_id(self) -> str:
        """Names the key in tokens and key sets."""
        public = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return hashlib.sha256(public).hexdigest()[:40]

    def token(self, email: str, audience: str) -> str:
        """A signed token that says: `email` calls `audience`. By the machine's clock, which is the verifier's."""
        now = int(time.time())
        claims = {
            "aud": audience,
            "azp": hashlib.sha256(email.encode()).hexdigest()[:21],
            "email": email,
            "email_verified": True,
            "exp": now + _LIFETIME_SECONDS,
            "iat": now,
            "iss": ISSUER,
            "sub": hashlib.sha256(email.encode()).hexdigest()[:21],
        }
        header = {"alg": "RS256", "kid": self.key_id, "typ": "JWT"}
        signed = b".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))
        signature = self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return (signed + b"." + _base64url(signature)).decode()

    def key_set(self) -> dict[str, list[dict[str, str]]]:
        """The public key as a JSON Web Key Set (RFC 7517), as at googleapis.com/oauth2/v3/certs."""
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.key_id}
        return {"keys": [key | {"n": _number(numbers.n), "e": _number(numbers.e)}]}

    @cached_property
    def certificates(self) -> dict[str, str]:
        """The public key as a certificate by key id, as at googleapis.com/oauth2/v1/certs."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pubsub-emulator")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=365))
            .sign(self._key, hashes.SHA256())
        )
        return {self.key_id: certificate.public_bytes(serialization.Encoding.PEM).decode()}


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _number(value: int) -> str:
    return _base64url(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode()
