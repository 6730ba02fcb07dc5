"""Looks at every page of the console as its readers do. Arguments: address, administrator's token, viewer's token, directory."""

import pathlib
import sys

from playwright.sync_api import sync_playwright

address, admin, viewer, directory = sys.argv[1:]
seen = pathlib.Path(directory)
seen.mkdir(parents=True, exist_ok=True)
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# The longest picture of a page: below it there is more of the same.
HIGHEST = 1500


def sign_in(page, token):
    page.goto(f"{address}/console")
    assert "/console/sign-in" in page.url, page.url
    page.fill("#token", token)
    page.locator("main button").click()
    page.wait_for_url(f"{address}/console")


def press(page, name):
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def watched(context, wrong):
    page = context.new_page()
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if not request.url.startswith(address) else None)
    return page


def look(page, name, path, width):
    answer = page.goto(f"{address}{path}")
    assert answer.status == 200, f"{path}: {answer.status}"
    page.wait_for_load_state("networkidle")
    assert page.locator("h1").count() == 1, path
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"{path} is {overflow} pixels too wide at {width}"
    high = min(page.evaluate("document.documentElement.scrollHeight"), HIGHEST)
    clip = {"x": 0, "y": 0, "width": width, "height": high}
    page.screenshot(path=seen / f"{name}-{width}.png", full_page=True, clip=clip)


def href(page, path, text):
    page.goto(f"{address}{path}")
    link = page.locator("main a", has_text=text).first
    return link.get_attribute("href")


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    wrong = []

    # Nobody gets in with a wrong token, and everybody is told so.
    context = browser.new_context(viewport=WIDE)
    page = watched(context, wrong)
    look(page, "sign-in", "/console/sign-in", 1440)
    page.fill("#token", "hf_" + "x" * 40)
    with page.expect_navigation():
        page.locator("main button").click()
    assert "not known here" in page.inner_text("main"), page.inner_text("main")
    page.close()
    context.close()

    # Every page, wide and narrow.
    versions = {}
    for viewport in (WIDE, NARROW):
        width = viewport["width"]
        context = browser.new_context(viewport=viewport, color_scheme="light")
        page = watched(context, wrong)
        sign_in(page, admin)
        versions = {
            "version-approved": "/console/models/acme/contract-summariser",
            "version-blocked": "/console/models/free-llm-weights/llama-3-8b-uncensored",
            "version-revoked": "/console/models/claims/triage-classifier",
        }
        request = href(page, "/console/reviews", "Decide")
        revoke = href(page, versions["version-approved"], "Blast radius")
        pages = {
            "overview": "/console",
            "models": "/console/models",
            **versions,
            "dataset": "/console/datasets/acme/contracts-2019-2025",
            "reviews": "/console/reviews",
            "review": request,
            "exceptions": "/console/exceptions",
            "revoke": revoke,
            "deployments": "/console/deployments",
            "policy": "/console/policy",
            "log": "/console/log",
            "entry": "/console/log/3",
            "audit": "/console/audit",
            "people": "/console/people",
            "search": "/console/search?q=summ",
            "device": "/console/device",
        }
        for name, path in pages.items():
            look(page, name, path, width)
        context.close()

    # In the dark.
    context = browser.new_context(viewport=WIDE, color_scheme="dark")
    page = watched(context, wrong)
    sign_in(page, admin)
    look(page, "overview-dark", "/console", 1440)
    look(page, "version-blocked-dark", versions["version-blocked"], 1440)

    # What is not there, and what a stranger is told.
    for path in ("/console/nowhere", "/console/models/nobody/nothing", "/console/log/999999", "/console/reviews/7"):
        answer = page.goto(f"{address}{path}")
        assert answer.status == 404 and "no such page" in page.inner_text("h1"), path
    wrong.clear()
    context.close()

    context = browser.new_context(viewport=WIDE)
    page = watched(context, wrong)
    sign_in(page, admin)

    # A proof is computed by the browser itself, and a changed one is noticed.
    page.goto(f"{address}/console/log/3")
    result = page.locator("[data-proof-result]")
    assert result.get_attribute("data-holds") == "true", result.inner_text()
    page.route("**/console/log/4", lambda route: route.fulfill(
        response=(answer := route.fetch()), body=answer.text().replace("model", "modem")))
    page.goto(f"{address}/console/log/4")
    if "modem" in page.inner_text("[data-entry]"):
        assert page.locator("[data-proof-result]").get_attribute("data-holds") == "false"
    page.unroute("**/console/log/4")

    # Keys.
    page.goto(f"{address}/console")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url("**/console/models")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('tbody') !== null")
    page.keyboard.press("Tab")
    page.goto(f"{address}/console")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip", "the first stop leads past the places"

    # A list answers while its filter is typed.
    page.goto(f"{address}/console/models")
    page.fill("#filter", "clause")
    page.wait_for_url("**q=clause**")
    assert page.locator("#results tbody tr").count() == 1

    # The policy is tried on the evidence of a version.
    page.goto(f"{address}/console/policy")
    page.fill("#of", "free-llm-weights/llama-3-8b-uncensored@main")
    press(page, "Load its evidence")
    assert "Deny" in page.inner_text("#answer"), page.inner_text("#answer")
    assert '"verdict": "block"' in page.input_value("#input")
    page.screenshot(path=seen / "policy-tried-1440.png", full_page=True, clip={"x": 0, "y": 0, "width": 1440, "height": 1500})

    # A decision.
    page.goto(f"{address}{request}")
    page.fill("#reason", "read the loader: a thin wrapper around our own format")
    press(page, "Approve")
    assert "vision-lab/yolo-parts-v9" in page.url, page.url
    assert "Approved: clients get it" in page.inner_text("#verdict"), page.inner_text("main")

    # A recall: nothing happens unless somebody says that they have read what depends on it.
    page.goto(f"{address}{revoke}")
    assert "legal/clause-finder" in page.inner_text("main")
    page.fill("#reason", "the base model's licence was withdrawn")
    page.check("#sure")
    press(page, "Revoke this version")
    assert "Revoked" in page.inner_text("#verdict"), page.inner_text("main")
    page.screenshot(path=seen / "version-after-recall-1440.png", full_page=True, clip={"x": 0, "y": 0, "width": 1440, "height": 900})

    # A token is made, shown once and withdrawn.
    page.goto(f"{address}/console/people")
    page.fill("#token-name", "notebook")
    press(page, "Create")
    assert page.inner_text(".notice code").startswith("hf_")
    page.goto(f"{address}/console/people")
    assert page.locator(".notice").count() == 0
    with page.expect_navigation():
        page.locator("tr", has_text="notebook").get_by_role("button").click()
    assert "withdrawn" in page.inner_text(".notice")

    # A form from elsewhere is refused.
    answer = context.request.post(f"{address}{revoke}", form={"reason": "x", "sure": "yes"})
    assert answer.status == 403, answer.status
    press(page, "Sign out")
    page.goto(f"{address}/console/models")
    assert "/console/sign-in" in page.url
    context.close()

    # Who sees one project sees nothing of the others.
    context = browser.new_context(viewport=WIDE)
    page = watched(context, wrong)
    sign_in(page, viewer)
    page.goto(f"{address}/console/models")
    text = page.inner_text("#results")
    assert "legal/clause-finder" in text and "acme" not in text, text
    assert page.goto(f"{address}/console/models/acme/contract-summariser").status == 404
    assert page.goto(f"{address}/console/audit").status == 403
    assert "claims" not in page.goto(f"{address}/console/log").text()
    assert "acme/" not in page.goto(f"{address}/console").text()
    context.close()

    # Without scripts everything is there too.
    context = browser.new_context(viewport=WIDE, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, admin)
    page.goto(f"{address}/console/models?q=clause")
    assert page.locator("#results tbody tr").count() == 1
    context.close()
    browser.close()
    expected = [line for line in wrong if "status of 403" not in line and "status of 404" not in line]
    assert not expected, expected
print("every page was looked at")
