// Forms with data-parts are sent without leaving the page: what the answer has takes the place of what has its id.
// Without this script they are sent as any form is.

const TIMEOUT = 10_000;
const said = document.getElementById("said");
const words = document.body.dataset;

// What is only read out: a message in sight would move what is tapped next.
document.body.insertAdjacentHTML("beforeend", '<p id="spoken" class="hidden" role="status"></p>');

/** Say something in sight, which is read out, too. */
export function say(text, kind = "good") {
  said.className = `said ${kind}`;
  said.textContent = text;
}

/** Put elements into the page where their ids are; the focus stays where it was, or near. */
export function replaceParts(html) {
  for (const part of [...parse(html).children]) {
    replace(document.getElementById(part.id), part);
  }
  document.dispatchEvent(new CustomEvent("parts"));
}

function parse(html) {
  const box = document.createElement("template");
  box.innerHTML = html;
  return box.content;
}

function replace(old, part) {
  // What is still to be sent is newer than this.
  if (!old || old.matches("[aria-busy]") || old.querySelector("[aria-busy]")) {
    return;
  }
  if (old.getAttribute("role") === "status") {
    old.className = part.className; // Only what changes inside of it is read out.
    old.replaceChildren(...part.childNodes);
    return;
  }
  const focused = document.activeElement;
  const isInside = old.contains(focused);
  old.replaceWith(part);
  if (isInside) {
    const key = focused.id || focused.dataset.key || "-";
    const near = ["id", "data-key", "data-next"].map((name) => part.querySelector(`[${name}="${key}"]`)).find(Boolean);
    (near ?? part.querySelector("button, a, [data-send], summary"))?.focus({ preventScroll: true });
  }
}

/** Ask for parts and put them in; whether they came. Throws an Error with words for people. */
export async function fetchParts(address, options = {}) {
  const html = await ask(address, options);
  if (html !== null) {
    replaceParts(html);
  }
  return html !== null;
}

// The parts; null when a page comes instead, which is shown.
async function ask(address, options) {
  let answer, html;
  try {
    const headers = { "X-Parts": "1", Accept: "text/html", ...options.headers };
    answer = await fetch(address, { ...options, headers, signal: AbortSignal.timeout?.(TIMEOUT) });
    html = await answer.text();
  } catch {
    throw new Error(words.failed);
  }
  if (answer.headers.get("X-Parts")) {
    return html;
  }
  if (answer.redirected && answer.ok) {
    location.assign(answer.url);
    return null;
  }
  const page = new DOMParser().parseFromString(html, "text/html");
  const texts = [...page.querySelectorAll("main h1, main h1 ~ p:not(.row)")];
  throw new Error(texts.map((one) => one.textContent).join(". ") || words.failed);
}

// One form is sent after the other, so that taps arrive in order; of one amount's, the last says it all.
const latest = new Map();
let queue = Promise.resolve();

function enqueue(job) {
  const known = latest.get(job.place);
  if (known && `${known.body}` === `${job.body}` && known.address === job.address) {
    return;
  }
  latest.set(job.place, job);
  job.place.setAttribute("aria-busy", "true");
  queue = queue.then(() => send(job));
}

async function send(job) {
  const isLatest = () => latest.get(job.place) === job;
  if (!isLatest() && job.place.dataset.step) {
    return;
  }
  let html, problem;
  try {
    // Who goes on to another page meanwhile has tapped all the same; files are too large for that.
    const keepalive = job.body instanceof URLSearchParams;
    html = await ask(job.address, { method: "POST", body: job.body, keepalive });
  } catch (error) {
    problem = error.message;
  }
  if (isLatest()) {
    latest.delete(job.place);
    job.place.removeAttribute("aria-busy");
  }
  const later = latest.get(job.place);
  if (problem && !later) {
    fail(job, problem);
  } else if (html) {
    if (later) {
      later.before = parse(html).querySelector(`[id="${job.place.id}"]`);
    }
    replaceParts(html);
  }
}

// Back to what the server knows, but for what was typed, with the reason and a way to try again.
function fail(job, problem) {
  const { before, place: now } = job;
  const place = before ?? now;
  if (before) {
    before.removeAttribute("aria-busy");
    replace(now, before);
  }
  place.querySelector("[role=alert]")?.remove();
  const empty = '<p class="wrong small" role="alert"> <button type="button" class="quiet"></button></p>';
  place.insertAdjacentHTML("beforeend", empty);
  const message = place.lastChild;
  message.prepend(problem);
  message.lastChild.append(words.again);
  message.lastChild.onclick = () => {
    message.remove();
    enqueue({ ...job, place, before: null });
  };
}

// An amount shows at once what was tapped, and the next tap counts from there.
function foresee(place, quantity, keepsText) {
  const wanted = Number(quantity.replace(",", "."));
  const step = Number(place.dataset.step);
  if (!step || !Number.isFinite(wanted)) {
    return;
  }
  const written = (number) => `${+Math.max(0, number).toFixed(3)}`;
  const output = place.querySelector("output");
  if (output) {
    output.firstChild.nodeValue = `${written(wanted)} `;
  } else if (!keepsText) {
    place.querySelector("input[data-send]").value = written(wanted);
  }
  place.querySelector("[data-less]").value = written(wanted - step);
  place.querySelector("[data-more]").value = written(wanted + step);
}

// A second tap while the next page is on its way would meet what the first one has done: a code that is used up.
let sent;

function sendOnce(event) {
  if (sent === event.target) {
    event.preventDefault();
  }
  sent = event.target;
  setTimeout(() => (sent = null), 3000);
}

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  // As an attribute: a form may have a field of this name.
  if (event.defaultPrevented || form.getAttribute("method") !== "post") {
    return;
  }
  if (!form.matches("[data-parts]")) {
    sendOnce(event);
    return;
  }
  const fields = new FormData(form);
  const body = form.enctype === "multipart/form-data" ? fields : new URLSearchParams(fields);
  if (submitter?.name) {
    body.set(submitter.name, submitter.value);
  }
  const place = form.closest("[data-step]") ?? form;
  const address = submitter?.getAttribute("formaction") ?? form.getAttribute("action");
  const isTyped = form.contains(place.querySelector("input[data-send]"));
  const before = place.dataset.step && !isTyped ? latest.get(place)?.before ?? place.cloneNode(true) : null;
  if (place.dataset.step) {
    foresee(place, body.get("quantity") ?? "", isTyped);
  }
  event.preventDefault();
  enqueue({ place, address, body, before });
});

// A choice that needs no button where there is a script.
document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-send]") && target.form) {
    const button = target.form.querySelector("[data-send-button]");
    button ? button.click() : target.form.requestSubmit();
  }
});

function hideButtons() {
  for (const button of document.querySelectorAll("[data-send-button]")) {
    button.hidden = true;
  }
}
hideButtons();
document.addEventListener("parts", hideButtons);

// A browser's own "lazy" asks for all pictures of three screens on a slow network, of which most are never seen.
const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) {
        near.unobserve(target);
        target.src = target.dataset.src;
      }
    }
  },
  { rootMargin: "300px" },
);

/** Have the pictures that are further down come when they are near. */
export function awaitPictures() {
  for (const picture of document.querySelectorAll("img[data-src]:not([src])")) {
    near.observe(picture);
  }
}
awaitPictures();

// Of a row of choices that is wider than the screen, the chosen one is in sight.
for (const chosen of document.querySelectorAll(".chips > [aria-current]")) {
  const row = chosen.parentElement;
  const [own, around] = [chosen, row].map((element) => element.getBoundingClientRect());
  row.scrollLeft += own.left - around.left - (around.width - own.width) / 2;
}

if ("serviceWorker" in navigator && words.worker) {
  addEventListener("load", () => navigator.serviceWorker.register(words.worker).catch(() => {}));
}
