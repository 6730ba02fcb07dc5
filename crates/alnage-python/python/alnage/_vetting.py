"""`vet`: verdicts about models, from their bytes alone."""

from __future__ import annotations

import os
from typing import Iterable, List, Optional

from alnage import _alnage
from alnage._errors import translated
from alnage._options import StrPath, Texts, flags, several
from alnage._record import Record


def vet(
    path: StrPath,
    *,
    select: Texts = None,
    ignore: Texts = None,
    level: str = "default",
    jobs: Optional[int] = None,
    hash: bool = True,
    config: Optional[StrPath] = None,
) -> Record:
    """Says what loading the model at `path`, a file or a directory, would do. Nothing of it is executed.

    Args:
        path: a file, a directory, or a snapshot of the Hugging Face cache; one model.
        select: only these rules run: codes or beginnings of codes, `"PKL"`.
        ignore: these rules do not run.
        level: which findings are told: `default`, `pedantic` or `audit`.
        jobs: threads; as many as there are processors when None.
        hash: whether files are hashed (SHA-256). Without, the record has no digests.
        config: an `alnage.toml` whose policy and suppressions count. None is looked for; `ALNAGE_…` variables count as on
            the command line.

    Raises:
        OSError: the path cannot be opened.
        AlnageError: an argument has no meaning.

    Other threads run meanwhile, and Ctrl-C is heard. A hostile file is no error: what is wrong with it is in the record.
    """
    arguments = _arguments(select, ignore, level, jobs, hash, config)
    try:
        return Record.from_json(_alnage.vet(os.fspath(path), arguments))
    except _alnage.Failure as failure:
        raise translated(failure) from None


def vet_bytes(
    data: bytes,
    name: str = "-",
    *,
    select: Texts = None,
    ignore: Texts = None,
    level: str = "default",
    hash: bool = True,
    config: Optional[StrPath] = None,
) -> Record:
    """The same of bytes that have no file. `name` is what the record calls them."""
    arguments = _arguments(select, ignore, level, None, hash, config)
    try:
        return Record.from_json(_alnage.vet_bytes(name, bytes(data), arguments))
    except _alnage.Failure as failure:
        raise translated(failure) from None


def _arguments(
    select: Texts, ignore: Texts, level: str, jobs: Optional[int], hash: bool, config: Optional[StrPath]
) -> List[str]:
    return flags(
        select=_joined(several(select)), ignore=_joined(several(ignore)), level=level, jobs=jobs,
        no_hash=not hash, config=config, no_config=config is None,
    )  # fmt: skip


def _joined(codes: Iterable[str]) -> Optional[str]:
    return ",".join(codes) or None
