"""Tests, seals and gates AI models.

`vet` says what loading a model would do, without loading it. `verify` says whether it is what somebody you trust signed.
`admit` hands out its verified files. `enforce` makes the loaders of this process take nothing else. `Unpickler` builds
only what policy allows.

The hooks of `enforce` are a seat belt: code that runs in this process can take them off. The wall is `alnage run`.
"""

from alnage._alnage import VERSION as __version__
from alnage._admitting import Admitted, admit
from alnage._enforcing import Enforcement, enforce
from alnage._errors import AlnageError, AdmissionWarning, ForbiddenGlobal, NotVerified, Refused
from alnage._guard import Decision
from alnage._record import Artifact, Finding, Issue, Model, Record, Span, Stats
from alnage._vetting import vet, vet_bytes
from alnage._verifying import Check, Verification, verify
from alnage.pickle import Unpickler

__all__ = [
    "AdmissionWarning",
    "Admitted",
    "AlnageError",
    "Artifact",
    "Check",
    "Decision",
    "Enforcement",
    "Finding",
    "ForbiddenGlobal",
    "Issue",
    "Model",
    "NotVerified",
    "Record",
    "Refused",
    "Span",
    "Stats",
    "Unpickler",
    "Verification",
    "__version__",
    "admit",
    "enforce",
    "verify",
    "vet",
    "vet_bytes",
]
