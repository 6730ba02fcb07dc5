"""`verify`: is the model what somebody you trust signed?"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Optional, Tuple

from alnage import _alnage
from alnage._errors import NotVerified, translated
from alnage._options import Paths, StrPath, Texts, flags, several, trust_flags


@dataclass(frozen=True)
class Check:
    """One part of a seal: `outcome` is `holds`, `refused`, `not checked` or `noted`."""

    part: str
    outcome: str
    message: str


@dataclass(frozen=True)
class Verification:
    """What was checked and what not.

    `has_verdict` says whether a signed verdict was there and holds: without one, the signature says what the files are and
    not that they were ever vetted. `is_complete` says whether every part of a seal was there. `uncovered` lists what the
    signature says nothing about, with how many files each stands for.
    """

    path: str
    has_verdict: bool
    is_complete: bool
    checks: Tuple[Check, ...]
    differences: Tuple[str, ...]
    uncovered: Tuple[Tuple[str, int], ...]
    notes: Tuple[str, ...]


def verify(
    path: StrPath,
    *,
    keys: Paths = None,
    ca: Paths = None,
    cert_chain: Paths = None,
    identity: Texts = None,
    identity_provider: Texts = None,
    trusted_root: Paths = None,
    issuer: Texts = None,
    crl: Paths = None,
    trust: Optional[StrPath] = None,
    revocations: Paths = None,
    signature: Paths = None,
    threshold: Optional[int] = None,
    require_seal: bool = False,
    ignore_unsigned_files: bool = False,
    log: Optional[StrPath] = None,
    full: bool = False,
    cache: bool = True,
) -> Verification:
    """Verifies the model at `path` against its signature and seal.

    Args:
        path: the model, a file or a directory.
        keys: public keys in PEM; each counts.
        ca: certificate authorities, or signers' own certificates; nobody is built in.
        cert_chain: certificates between a signer's and an authority.
        identity: who must have signed: `email:…`, `dns:…`, `uri:…`, `subject:…`, `regexp:…`, `spki:…`.
        identity_provider: who must have vouched for a keyless identity.
        trusted_root: a trusted root of Sigstore other than the public one.
        issuer: who must have issued the signer's certificate.
        crl: revocation lists of the authorities.
        trust: everything about whom to trust from one `trust.toml`, instead of all the above.
        revocations: lists made by `alnage revoke`.
        signature: the signatures, when not beside the model.
        threshold: how many different signers must have signed.
        require_seal: whether verdict, bill of materials and log entry must be there and hold.
        ignore_unsigned_files: whether files that were not signed are told instead of refused.
        log: the directory of the log.
        full: whether files are read that nobody touched since they were last verified.
        cache: whether digests are remembered at all.

    Raises:
        NotVerified: it is not what they signed; `reasons` says why.
        OSError: the model, its signature or a key cannot be read.
        AlnageError: nobody is named whose signature would count, or an argument has no meaning.

    A verified file can change afterwards: `admit` hands out what was verified.
    """
    shown = os.fspath(path)
    arguments = trust_flags(
        keys, ca, cert_chain, identity, identity_provider, trusted_root, issuer, crl, trust, revocations
    ) + flags(
        signature=several(signature), threshold=threshold, require_seal=require_seal,
        ignore_unsigned_files=ignore_unsigned_files, log=log, full=full, no_cache=not cache,
    )  # fmt: skip
    try:
        found = json.loads(_alnage.verify([*arguments, "--", shown]))
    except _alnage.Failure as failure:
        raise translated(failure) from None
    checks = tuple(Check(**check) for check in found["checks"])
    if not found["verified"]:
        refused = [f"{check.part}: {check.message}" for check in checks if check.outcome == "refused"]
        missing = [f"{check.part}: {check.message}" for check in checks if check.outcome == "not checked"]
        raise NotVerified(shown, (refused or missing) + found["differences"])
    return Verification(
        path=shown,
        has_verdict=found["has_verdict"],
        is_complete=found["is_complete"],
        checks=checks,
        differences=tuple(found["differences"]),
        uncovered=tuple((path, files) for path, files in found["uncovered"]),
        notes=tuple(found["notes"]),
    )
