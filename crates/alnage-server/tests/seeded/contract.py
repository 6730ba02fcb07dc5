"""Asks a server by its own OpenAPI document: requests that fit it and requests that do not, with records that are there.

usage: contract.py ADDRESS TOKEN [ARGUMENT OF SCHEMATHESIS]...
"""

import collections
import sys

import requests
import schemathesis
from schemathesis.cli import schemathesis as command_line

ADDRESS, TOKEN, *MORE = sys.argv[1:]
SEED = "20261122"
# The rest of what Schemathesis checks does not hold, and is not to:
# - negative_data_rejection: members of a body and of a query that are not known are passed over, so that older servers
#   take the requests of newer clients;
# - positive_data_acceptance: what a request means is checked too, a stage that cannot follow, a reason of blanks.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
]


# Bodies that mean something, by the last segment of their routes.
BODIES = {
    "POST approvals": {"reason": "a pilot", "expires": 4_000_000_000},
    "POST votes": {"vote": "approve", "reason": "read the findings"},
    "POST transitions": {"stage": "rejected", "reason": "nobody knows its trainer"},
    "POST exceptions": {"rule": "verdict-open", "reason": "known here", "expires": 4_000_000_000},
    "POST deployments": {"place": "host:/srv/model", "kind": "run", "model": "model/acme/fraud-gbm"},
    "POST decisions": {"input": {}, "pack": "strict", "explain": True},
    "POST users": {"name": "somebody.new", "kind": "user", "roles": ["acme:reviewer"]},
    "POST webhooks": {"url": "https://receiver.invalid/", "secret": "0123456789abcdef", "kinds": "nothing.at.all"},
    "POST revocations": {"subject": "model/acme/nothing-yet", "reason": "left over"},
}


def asked(path, **query):
    answer = requests.get(f"{ADDRESS}/api/v1/{path}", params=query, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
    answer.raise_for_status()
    return answer.json()


def made(path, **body):
    answer = requests.post(f"{ADDRESS}/api/v1/{path}", json=body, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
    answer.raise_for_status()
    return answer.json()


def known():
    """Values that lead somewhere, by the names of parameters."""
    model = "acme/fraud-gbm"
    version = f"models/{model}/versions/main"
    made(f"{version}/approvals", reason="asked for by the test of the API")
    requests.put(f"{ADDRESS}/api/v1/{version}/attestations/made.json", data=b"{}", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30).raise_for_status()
    head = asked(version)
    return {
        "project": ["acme"],
        "name": ["fraud-gbm"],
        "revision": ["main", head["commit"]],
        "digest": [head["manifest"]],
        "document": ["made.json"],
        "exception": [str(row["id"]) for row in asked(f"{version}/exceptions")["items"]],
        "scan": [str(row["id"]) for row in asked(f"{version}/scans")["items"]],
        "account": ["build-agent"],
        "object": ["checkpoint", "key", "tile/0/000.p/1"],
        "subject": [row["subject"] for row in asked("revocations")["items"]] + ["model/" + model, "dataset/acme/contracts-2019-2025"],
        "after": ["1"],
        "/approvals/{id}": [str(row["id"]) for row in reversed(asked("approvals", state="open")["items"])],
        "/tokens/{id}": [str(made("tokens", name="to be ended", role="viewer", days=1)["id"]) for _ in range(3)],
        "/webhooks/{id}": [str(made("webhooks", url="https://receiver.invalid/", secret="0123456789abcdef", kinds="nothing.at.all")["id"]) for _ in range(3)],
    }


@schemathesis.hook
def before_load_schema(context, raw_schema):
    values = known()
    for path, item in raw_schema["paths"].items():
        for method, operation in item.items():
            for parameter in operation["parameters"]:
                name = parameter["name"]
                at_hand = values.get(name, [])
                for end, ids in values.items():
                    if name == "id" and end in path:
                        at_hand = ids
                if (method, name) == ("delete", "name") and path.endswith("/{name}"):
                    # Of another model: the routes that follow ask about the first.
                    at_hand = ["contract-summariser-de"]
                if at_hand and parameter["schema"].get("type") == "string":
                    parameter["schema"] = {"anyOf": [{"enum": at_hand}, parameter["schema"]]}
                    parameter["example"] = at_hand[0]
            label = f"{method.upper()} {path.rpartition('/')[2]}"
            if label in BODIES:
                operation["requestBody"]["content"]["application/json"]["example"] = BODIES[label]


# How often each route answered how.
ANSWERS = collections.defaultdict(collections.Counter)
# Those that no request made from the document alone can have say yes, and why.
NEVER = {
    "GET /auth/oidc/start": "no provider is set up",
    "GET /auth/oidc/callback": "no provider is set up",
    "POST /oauth/token": "needs an identity that somebody signed, or a person's yes",
    "POST /auth/device": "needs a code that a terminal shows",
    "POST /auth/session": "needs a token in its body",
}


@schemathesis.hook
def before_call(context, case, kwargs):
    # What was learnt from answers is tried too; the model that the other routes are about stays.
    if case.operation.label == "DELETE /api/v1/models/{project}/{name}" and case.path_parameters.get("name") == "fraud-gbm":
        case.path_parameters["name"] = "contract-summariser-de"


@schemathesis.hook
def after_call(context, case, response):
    ANSWERS[case.operation.label][response.status_code] += 1


if __name__ == "__main__":
    arguments = ["run", f"{ADDRESS}/api/v1/openapi.json", "--header", f"Authorization: Bearer {TOKEN}"]
    arguments += ["--phases", "examples,coverage,fuzzing", "--checks", ",".join(CHECKS), "--max-examples", "3"]
    arguments += ["--seed", SEED, "--generation-database", "none", "--suppress-health-check", "all", "--continue-on-failure"]
    arguments += ["--request-timeout", "30", "--no-color", "--warnings", "off", "--output-sanitize", "false", *MORE]
    try:
        code = command_line.main(arguments, standalone_mode=False)
    except SystemExit as end:
        code = end.code
    for label, answers in sorted(ANSWERS.items()):
        print(f"{label:90} {dict(sorted(answers.items()))}")
    silent = [label for label, answers in ANSWERS.items() if not any(status < 400 for status in answers)]
    unmet = sorted(set(silent) - set(NEVER))
    if code or unmet:
        sys.exit(f"exit code {code}; never answered with what was asked for: {unmet}")
    print("every route answered as it is described")
