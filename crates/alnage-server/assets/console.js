// What the console does beyond links and forms. Every page works without it.
"use strict";

// Proofs, computed by the reader's own machine from what the page shows. Browsers give `crypto.subtle` to secure pages
// alone, and a registry may stand behind plain HTTP inside a network, so SHA-256 is spelled out.
const ROUND = new Uint32Array(64);
const START = new Uint32Array(8);
{
  let found = 0;
  for (let n = 2; found < 64; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n; d += 1) if (n % d === 0) prime = false;
    if (!prime) continue;
    const fraction = (x) => Math.floor((x - Math.floor(x)) * 2 ** 32);
    if (found < 8) START[found] = fraction(Math.sqrt(n));
    ROUND[found] = fraction(Math.cbrt(n));
    found += 1;
  }
}

function sha256(bytes) {
  const padded = new Uint8Array(((bytes.length + 72) >> 6) << 6);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, bytes.length << 3);
  const state = Uint32Array.from(START);
  const word = new Uint32Array(64);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  for (let at = 0; at < padded.length; at += 64) {
    for (let i = 0; i < 16; i += 1) word[i] = view.getUint32(at + 4 * i);
    for (let i = 16; i < 64; i += 1) {
      const a = word[i - 15], b = word[i - 2];
      word[i] = word[i - 16] + word[i - 7] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i += 1) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[i] + word[i]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => { state[i] += value; });
  }
  return [...state].map((value) => value.toString(16).padStart(8, "0")).join("");
}

const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const join = (prefix, ...parts) => Uint8Array.from([prefix, ...parts.flatMap((part) => [...part])]);

function checkProof(proof) {
  const say = document.querySelector("[data-proof-result]");
  const steps = [...proof.querySelectorAll("[data-sibling]")];
  const entry = new TextEncoder().encode(document.querySelector("[data-entry]").textContent);
  let hash = sha256(join(0, entry));
  let wrong = hash === proof.dataset.leaf ? 0 : 1;
  for (const step of steps) {
    const sibling = fromHex(step.dataset.sibling);
    const own = fromHex(hash);
    hash = sha256(step.dataset.side === "left" ? join(1, sibling, own) : join(1, own, sibling));
    const agrees = hash === step.dataset.result;
    if (!agrees) wrong += 1;
    step.querySelector("[data-here]").textContent = agrees ? "same, computed here" : `differs, computed here: ${hash}`;
  }
  const holds = wrong === 0 && hash === proof.dataset.root;
  say.textContent = holds
    ? `Your browser computed the leaf and ${steps.length} steps from the bytes on this page and reached the root of the checkpoint.`
    : "Your browser computed the steps and did not reach the root of the checkpoint. Do not rely on this entry.";
  say.dataset.holds = String(holds);
}

// A list answers while its filter is typed.
function liveFilter(form) {
  const target = document.getElementById(form.dataset.live);
  let latest = 0;
  let timer;
  const run = async () => {
    const turn = (latest += 1);
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
    const address = `${form.action}?${query}`;
    const answer = await fetch(address, { headers: { accept: "text/html" } }).catch(() => null);
    if (!answer?.ok || turn !== latest) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(target.id);
    if (turn !== latest || !fresh) return;
    target.replaceChildren(...fresh.childNodes);
    history.replaceState(null, "", address);
  };
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(run, 180); });
  form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(timer); run(); });
}

function copyButton(holder) {
  if (!navigator.clipboard) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "bare copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${holder.dataset.copy}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(holder.textContent.trim());
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  holder.after(button);
}

// Keys: one letter, or `g` and one letter. Whoever dictates or types by accident can turn them off.
function keyboard() {
  const dialog = document.getElementById("keys");
  const off = dialog?.querySelector("input");
  if (!dialog || !off) return;
  const remembered = () => { try { return localStorage.getItem("keys") === "off"; } catch { return false; } };
  off.checked = remembered();
  off.addEventListener("change", () => { try { localStorage.setItem("keys", off.checked ? "off" : "on"); } catch { /* not kept */ } });
  document.querySelector("[data-keys]")?.addEventListener("click", (event) => { event.preventDefault(); dialog.showModal(); });
  let going = 0;
  document.addEventListener("keydown", (event) => {
    if (off.checked || event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const place = Date.now() - going < 1200 ? document.querySelector(`.places a[data-key="${CSS.escape(event.key)}"]`) : null;
    going = 0;
    if (place) { location.assign(place.href); return; }
    const rows = [...document.querySelectorAll("main tbody tr a:first-of-type, main [data-row] a:first-of-type")]
      .filter((link, at, all) => at === 0 || link.closest("tr, [data-row]") !== all[at - 1].closest("tr, [data-row]"));
    const at = rows.indexOf(document.activeElement);
    if (event.key === "g") going = Date.now();
    else if (event.key === "/") { event.preventDefault(); document.getElementById("q")?.focus(); }
    else if (event.key === "?") dialog.showModal();
    else if (event.key === "j" && rows.length > 0) rows[Math.min(at + 1, rows.length - 1)].focus();
    else if (event.key === "k" && rows.length > 0) rows[Math.max(at - 1, 0)].focus();
  });
}

document.querySelectorAll("[data-leaf]").forEach(checkProof);
document.querySelectorAll("form[data-live]").forEach(liveFilter);
document.querySelectorAll("[data-copy]").forEach(copyButton);
keyboard();
