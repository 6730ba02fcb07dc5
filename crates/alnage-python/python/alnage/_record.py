"""The record `alnage.record/1` as dataclasses. `docs/record.schema.json` says what each field means."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple


@dataclass(frozen=True)
class Span:
    """A range of bytes, `start` included and `end` not."""

    start: int
    end: int


@dataclass(frozen=True)
class Finding:
    """One thing a rule found, with the evidence for it.

    `severity` is `info`, `low`, `medium`, `high` or `critical`; `confidence` is `low`, `medium` or `high`. `artifact` is a
    path in the model, `!/` between a container and its member.
    """

    code: str
    name: str
    severity: str
    confidence: str
    level: str
    artifact: str
    message: str
    remediation: str
    references: Tuple[str, ...] = ()
    span: Optional[Span] = None
    evidence: Optional[str] = None

    def __str__(self) -> str:
        place = f" at {self.span.start:#x}" if self.span else ""
        return f"{self.code} {self.severity}: {self.artifact}{place}: {self.message}"


@dataclass(frozen=True)
class Issue:
    """Something that was not fully understood; it keeps a verdict from being `pass`."""

    artifact: str
    kind: str
    message: str
    offset: Optional[int] = None


@dataclass(frozen=True)
class Artifact:
    """One reading of one file or nested member. `size` is in bytes; `facts` is by family of formats."""

    path: str
    format: str
    size: int
    facts: Mapping[str, Any] = field(repr=False, default_factory=dict)


@dataclass(frozen=True)
class Model:
    """What is known about one model.

    `digest` is the OpenSSF Model Signing root digest in hexadecimal, None when files were not hashed. `files` maps each
    path, relative to the model, to its size in bytes and its SHA-256.
    """

    path: str
    verdict: str
    digest: Optional[str]
    files: Mapping[str, Tuple[int, Optional[str]]] = field(repr=False)
    artifacts: Tuple[Artifact, ...] = field(repr=False)
    findings: Tuple[Finding, ...]
    issues: Tuple[Issue, ...]
    decided_by: Tuple[str, ...]


@dataclass(frozen=True)
class Stats:
    """What a run did: counts, and the bytes of all files."""

    models: int
    files: int
    artifacts: int
    bytes: int
    excluded: int


@dataclass(frozen=True)
class Record:
    """The record of one `alnage vet`.

    `verdict` is the gravest of all models: `pass` (everything was read and nothing asks for a person), `unknown` (not
    everything was understood), `review` (a person must look) or `block` (loading would execute, escape or mislead).
    `json` is the whole record as it was written, also what has no attribute here.
    """

    schema: str
    verdict: str
    models: Tuple[Model, ...]
    stats: Stats
    json: str = field(repr=False, compare=False)

    @property
    def findings(self) -> Tuple[Finding, ...]:
        """Those of all models, heaviest first within each."""
        return tuple(finding for model in self.models for finding in model.findings)

    @property
    def issues(self) -> Tuple[Issue, ...]:
        """Those of all models."""
        return tuple(issue for model in self.models for issue in model.issues)

    @property
    def passed(self) -> bool:
        """Whether the verdict is `pass`."""
        return self.verdict == "pass"

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models)

    def as_dict(self) -> Dict[str, Any]:
        """The whole record as plain data."""
        return dict(json.loads(self.json))

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Reads a record. Raises ValueError when it is none."""
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("schema") != "alnage.record/1":
            raise ValueError("this is no record of the schema alnage.record/1")
        try:
            return cls(
                schema=data["schema"],
                verdict=data["verdict"],
                models=tuple(_model(model) for model in data["models"]),
                stats=Stats(**data["stats"]),
                json=text,
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"the record lacks something: {error}") from None


def _model(data: Mapping[str, Any]) -> Model:
    manifest = data["manifest"]
    return Model(
        path=data["path"],
        verdict=data["verdict"],
        digest=manifest.get("digest"),
        files={file["path"]: (file["size"], file.get("sha256")) for file in manifest["files"]},
        artifacts=tuple(
            Artifact(item["path"], item["format"], item["size"], item["facts"]) for item in data["artifacts"]
        ),
        findings=tuple(_finding(finding) for finding in data["findings"]),
        issues=tuple(
            Issue(item["artifact"], item["kind"], item["message"], item.get("offset")) for item in data["issues"]
        ),
        decided_by=tuple(data["decided_by"]),
    )


def _finding(data: Mapping[str, Any]) -> Finding:
    span = data.get("span")
    return Finding(
        code=data["code"],
        name=data["name"],
        severity=data["severity"],
        confidence=data["confidence"],
        level=data["level"],
        artifact=data["artifact"],
        message=data["message"],
        remediation=data["remediation"],
        references=tuple(data["references"]),
        span=Span(span["start"], span["end"]) if span else None,
        evidence=data.get("evidence"),
    )
