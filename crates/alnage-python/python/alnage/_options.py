"""Keyword arguments of Python as arguments of the command line: one grammar, one meaning."""

from __future__ import annotations

import os
from typing import Any, Iterable, List, Union

#: A path, as `open` takes it.
StrPath = Union[str, "os.PathLike[str]"]
#: One, several, or none.
Paths = Union[None, StrPath, Iterable[StrPath]]
Texts = Union[None, str, Iterable[str]]


def several(value: Any) -> List[str]:
    """One or several paths or texts as a list."""
    if value is None:
        return []
    if isinstance(value, (str, os.PathLike)):
        return [os.fspath(value)]
    return [os.fspath(item) for item in value]


def flags(**options: Any) -> List[str]:
    """`key=["a", "b"], full=True, jobs=2` as `--key=a --key=b --full --jobs=2`; None and False say nothing."""
    arguments: List[str] = []
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            arguments.append(flag)
        elif isinstance(value, int):
            arguments.append(f"{flag}={value}")
        else:
            arguments += [f"{flag}={item}" for item in several(value)]
    return arguments


def trust_flags(
    keys: Paths, ca: Paths, cert_chain: Paths, identity: Texts, identity_provider: Texts,
    trusted_root: Paths, issuer: Texts, crl: Paths, trust: Paths, revocations: Paths,
) -> List[str]:  # fmt: skip
    """Whom to trust, as the command line says it."""
    return flags(
        key=keys, ca=ca, cert_chain=cert_chain, identity=identity, identity_provider=identity_provider,
        trusted_root=trusted_root, issuer=issuer, crl=crl, trust=trust, revocations=revocations,
    )  # fmt: skip
