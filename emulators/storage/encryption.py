"""Customer-supplied encryption keys: the emulator stores plain bytes, and holds readers to the key all the same.

https://cloud.google.com/storage/docs/encryption/customer-supplied-keys
"""

import hashlib
from base64 import b64decode, b64encode
from binascii import Error

from emulators.storage.calls import Call, Resource
from emulators.storage.errors import invalid
from emulators.storage.state import Generation


def key_of(call: Call, prefix: str = "") -> Resource | None:
    """The `customerEncryption` that the call's headers ask for, or None; `prefix` is `copy-source-` for a source.

    Raises:
        StorageError: 400, the key is no AES-256 key or its hash is another's.
    """
    header = f"x-goog-{prefix}encryption-"
    algorithm = call.headers.get(header + "algorithm")
    if algorithm is None:
        return None
    try:
        key = b64decode(call.headers.get(header + "key", ""), validate=True)
    except Error:
        key = b""
    digest = b64encode(hashlib.sha256(key).digest()).decode()
    if algorithm != "AES256" or len(key) != 32:
        raise invalid(f"An encryption key must be 32 bytes for AES256. Got {len(key)} bytes for {algorithm}.")
    if call.headers.get(header + "key-sha256", digest) != digest:
        raise invalid(f"The encryption key's SHA-256 must be {digest}, as computed. Got another.")
    return {"encryptionAlgorithm": algorithm, "keySha256": digest}


def check_key(call: Call, found: Generation, prefix: str = "") -> None:
    """Refuse to read an encrypted object without its key, or a plain one with a key.

    Raises:
        StorageError: 400.
    """
    stored = found.resource.get("customerEncryption")
    given = key_of(call, prefix)
    if stored == given:
        return
    where = f"object '{found.bucket}/{found.name}'"
    if stored is None:
        raise invalid(f"A customer-supplied encryption key was given, but {where} is not encrypted by one.")
    raise invalid(
        f"The {where} is encrypted by a customer-supplied encryption key; expected that key, got another or none."
    )
