// Follows an order. When something has become of it, the page is read again and its live parts take over what is new.
// While the stream is away, that happens every half a minute.
import { replaceParts } from "./shop.js";

const REFRESH = 30_000;
const RETRY = 5_000;
const TIMEOUT = 10_000;

const live = document.getElementById("live");
let source = null;
let wait = 0;
let timer = 0;
let reading = false;
let again = false;

const state = () => document.getElementById("state").dataset;
const isOver = () => "over" in state();

function open() {
  close();
  if (isOver() || document.hidden) {
    return;
  }
  source = new EventSource(`${state().stream}?last_event_id=${state().lastEvent}`);
  source.addEventListener("open", () => {
    wait = 0;
    live.hidden = false;
  });
  source.addEventListener("order", refresh);
  source.addEventListener("end", close);
  source.addEventListener("error", () => {
    live.hidden = true;
    // After a lost connection the browser tries again by itself; after an answer that is no stream it does not.
    if (source.readyState === EventSource.CLOSED) {
      wait = Math.min(REFRESH, wait * 2 || 2000);
      timer = setTimeout(open, wait * (0.5 + Math.random()));
    }
  });
}

function close() {
  clearTimeout(timer);
  live.hidden = true;
  source?.close();
}

/** Read the page again; what comes while it is being read is read afterwards. */
async function refresh() {
  if (reading) {
    again = true;
    return;
  }
  reading = true;
  again = false;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout?.(TIMEOUT) });
    if (answer.ok) {
      take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } else if (answer.status >= 500) {
      setTimeout(refresh, RETRY);
    }
  } catch {
    setTimeout(refresh, RETRY);
  }
  reading = false;
  if (again) {
    refresh();
  }
}

function take(page) {
  if (!page.getElementById("state")) {
    return; // a page to sign in, since the session has ended
  }
  const status = document.getElementById("status");
  const text = page.getElementById("status").textContent;
  if (status.textContent !== text) {
    status.textContent = text; // the element stays: only what changes inside of it is read out
  }
  const parts = [...document.querySelectorAll("[data-live]")]
    .map((old) => [old.outerHTML, page.getElementById(old.id)?.outerHTML])
    .filter(([old, part]) => part && part !== old);
  replaceParts(parts.map(([, part]) => part).join(""));
}

// A page that nobody looks at costs neither data nor battery; what happened meanwhile comes when it is seen again.
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
addEventListener("pageshow", (event) => event.persisted && open());
setInterval(() => {
  if (live.hidden && !document.hidden && !isOver()) {
    refresh();
  }
}, REFRESH);
open();
