// Picks are kept on this phone until the shop has them: shops have cellars and cold rooms without network.
//
// Each is kept with an id, is sent in order, and is gone when the server has answered, whatever it says: what it refuses,
// the page shows. A pick says what is in the bag, so one that arrives twice changes nothing. Of a line, the last one
// counts. It says how the line was when the picker saw it, and the server refuses it when somebody else was there since.

import { replaceParts, say } from "./shop.js";

const page = document.querySelector("[data-order]");
const key = `picks-${page.dataset.order}`;
const TIMEOUT = 10_000;

let isSending = false;

function kept() {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? [];
  } catch {
    return [];
  }
}

function keep(picks) {
  picks.length ? localStorage.setItem(key, JSON.stringify(picks)) : localStorage.removeItem(key);
}

function line(id) {
  return document.getElementById(`line-${id}`);
}

function lineOf(address) {
  return address.match(/lines\/(\d+)/)?.[1];
}

/** Show the panel of a line; without one, that all is picked. */
export function show(id) {
  for (const panel of document.querySelectorAll(".pick-line")) {
    panel.hidden = panel.dataset.line !== `${id}`;
  }
  for (const link of document.querySelectorAll(".rows a")) {
    link.toggleAttribute("aria-current", link.dataset.go === `${id}`);
  }
  const finish = document.getElementById("finish");
  if (finish) {
    finish.hidden = Boolean(id) || kept().length > 0;
  }
  scrollTo({ top: 0 });
  (line(id) ?? finish?.querySelector("button"))?.focus({ preventScroll: true });
}

// What was tapped shows at once: the row is done, and the next open one is up.
function foresee(id) {
  const row = document.getElementById(`row-${id}`);
  if (!row.className) {
    const done = document.querySelector("[data-done]");
    done.textContent = Number(done.textContent) + 1;
    document.querySelector("#pick-progress progress").value += 1;
  }
  row.className = "done";
  row.querySelector(".state").textContent = `✓ ${row.dataset.saved}`;
  show(document.querySelector(".rows li:not(.done, .short) a")?.dataset.go);
}

function tell(words = null) {
  const number = kept().length;
  const place = document.getElementById("waiting");
  place.hidden = !number || (isSending && !words && navigator.onLine);
  place.textContent = words ?? (number === 1 ? page.dataset.one : page.dataset.many.replace("%", number));
}

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (!form.matches("form[data-pick]")) {
    return;
  }
  const body = new URLSearchParams(new FormData(form));
  if (submitter?.name) {
    body.set(submitter.name, submitter.value);
  }
  const address = form.getAttribute("action");
  const id = lineOf(address);
  const older = kept().find((pick) => pick.address === address);
  if (older && !older.isSent) {
    body.set("seen", new URLSearchParams(older.body).get("seen"));
  }
  event.preventDefault();
  const pick = { id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, address, body: `${body}`, isSent: false };
  keep([...kept().filter((one) => one.address !== address || one.isSent), pick]);
  form.closest("details")?.removeAttribute("open");
  foresee(id);
  send();
});

async function send() {
  if (isSending) {
    return;
  }
  isSending = true;
  let words = null;
  tell();
  for (let [pick] = kept(); pick; [pick] = kept()) {
    keep(kept().map((one) => (one.id === pick.id ? { ...one, isSent: true } : one)));
    try {
      words = await deliver(pick);
    } catch {
      break;
    }
    if (words) {
      break;
    }
  }
  isSending = false;
  tell(words);
  const finish = document.getElementById("finish");
  if (finish && !kept().length && !document.querySelector(".rows li:not(.done, .short)")) {
    finish.hidden = false;
  }
}

// Words for the picker when it has to wait for somebody; nothing when it was delivered. Raises an error without network.
async function deliver(pick) {
  const body = new URLSearchParams(pick.body);
  body.set("csrf_token", document.querySelector('[name="csrf_token"]').value);
  const headers = { "X-Parts": "1", Accept: "text/html" };
  const answer = await fetch(pick.address, { method: "POST", body, headers, signal: AbortSignal.timeout?.(TIMEOUT) });
  const html = await answer.text();
  const isParts = answer.headers.has("X-Parts");
  if (!isParts && (answer.redirected || answer.status === 403)) {
    return page.dataset.signIn;
  }
  if (!isParts && answer.status >= 429) {
    throw new Error("busy");
  }
  keep(kept().filter((one) => one.id !== pick.id));
  if (!isParts) {
    location.reload();
    return null;
  }
  follow(pick, new DOMParser().parseFromString(html, "text/html"));
  if (!kept().length) {
    replaceParts(html);
  }
  return null;
}

// What was refused is said, also when others wait. A later pick of the same line follows upon this one, unless somebody
// else came between.
function follow(pick, parts) {
  const refusal = parts.querySelector(".said.bad");
  if (refusal) {
    say(refusal.textContent, "bad");
    return;
  }
  const seen = parts.querySelector(`#line-${lineOf(pick.address)} [name="seen"]`)?.value;
  if (!seen) {
    return;
  }
  const after = ({ body }) => {
    const fields = new URLSearchParams(body);
    fields.set("seen", seen);
    return `${fields}`;
  };
  keep(kept().map((one) => (one.address === pick.address ? { ...one, body: after(one) } : one)));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-go]");
  if (link && line(link.dataset.go)) {
    event.preventDefault();
    show(link.dataset.go);
  }
});

addEventListener("online", send);
setInterval(() => kept().length && send(), 15_000);
send();

// A UPC is an EAN-13 without its leading zero.
function isSameCode(one, other) {
  return one.padStart(14, "0") === other.padStart(14, "0");
}

// What is weighed is brought up, to be weighed; all else is found. What is in the bag already stays as it is: who scans
// each of three packs, or one that was short, means no more than that it is there.
function take(code) {
  const panels = [...document.querySelectorAll("[data-barcode]")].filter((one) => isSameCode(one.dataset.barcode, code));
  const isOpen = (panel) => !document.getElementById(`row-${panel.dataset.line}`).className;
  const panel = panels.find(isOpen) ?? panels[0];
  navigator.vibrate?.(panel ? 50 : [50, 50, 200]);
  if (!panel) {
    say(`${code}: ${page.dataset.none}`, "bad");
    scrollTo({ top: 0 });
    return;
  }
  const name = panel.querySelector("h2").textContent;
  const scale = panel.querySelector("[name=scale]");
  show(panel.dataset.line);
  if (!isOpen(panel)) {
    say(`${name}: ${page.dataset.already}`, "note");
  } else if (scale) {
    say(`${name}: ${page.dataset.weigh}`);
    scale.closest("details").open = true;
    scale.form.querySelector("[name=quantity]").focus();
  } else {
    say(`${name}: ${page.dataset.found}`);
    panel.querySelector("[data-found]").click();
  }
}

// A hand scanner is a keyboard that types the digits of a code and Enter, wherever the focus is. Neither is the button
// pressed then that has the focus, nor is the code the weight that a field asks for. Digits before a rest are not its own.
const REST = 1000;

function hearScanner() {
  let [digits, last, before] = ["", 0, ""];
  document.addEventListener("keydown", (event) => {
    const { key, target, timeStamp } = event;
    if (key === "Shift" || target.name === "code") {
      return; // Some layouts have the digits above. What is typed into the dialog, its form sends.
    }
    digits = timeStamp - last > REST ? "" : digits;
    last = timeStamp;
    if (/^\d$/.test(key) && !event.ctrlKey && !event.altKey && !event.metaKey) {
      before = digits ? before : target.value;
      digits += key;
      return;
    }
    const code = digits;
    digits = "";
    if (key === "Enter" && /^\d{8,14}$/.test(code)) {
      event.preventDefault();
      if (target.localName === "input") {
        target.value = before;
      }
      document.getElementById("scanner").close();
      take(code);
    }
  });
}

if (document.querySelector(".pick-line")) {
  hearScanner();
  if ("BarcodeDetector" in window && navigator.mediaDevices) {
    const { offerCamera } = await import("./scan.js");
    offerCamera(document.getElementById("scan"), take);
  }
}
