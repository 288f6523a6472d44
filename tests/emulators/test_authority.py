"""The certificate authority that emulators which are started together share."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography import x509

from emulators.authority import Authority


def test_those_that_start_at_once_share_one(tmp_path: Path) -> None:
    """Clients are told one file to trust."""
    with ThreadPoolExecutor(8) as pool:
        chains = list(pool.map(lambda _: Authority(tmp_path).issue("localhost")[1], range(8)))
    (root,) = x509.load_pem_x509_certificates((tmp_path / "authority.pem").read_bytes())
    for chain in chains:
        x509.load_pem_x509_certificates(chain)[0].verify_directly_issued_by(root)


def test_it_is_found_again_after_a_restart(tmp_path: Path) -> None:
    """A client that was told of it still trusts the emulator that was started anew."""
    told = Authority(tmp_path).certificate_file.read_bytes()
    assert Authority(tmp_path).certificate_file.read_bytes() == told


def test_one_without_its_key_is_made_anew(tmp_path: Path) -> None:
    """A process that was killed in the middle leaves a certificate alone, which nobody can issue under."""
    Authority(tmp_path)
    (tmp_path / "authority.key").unlink()
    chain = Authority(tmp_path).issue("localhost")[1]
    root = x509.load_pem_x509_certificate((tmp_path / "authority.pem").read_bytes())
    x509.load_pem_x509_certificates(chain)[0].verify_directly_issued_by(root)


def test_its_key_is_its_owners(tmp_path: Path) -> None:
    """Whoever reads it may play any host for those who trust it."""
    Authority(tmp_path)
    assert stat.S_IMODE((tmp_path / "authority.key").stat().st_mode) == 0o600
