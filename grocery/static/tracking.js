"use strict";

const page = document.querySelector("main");
const live = document.getElementById("live");
let lastEvent = page.dataset.lastEvent;
let source = null;
let isOver = false;
let wait = 0;
let timer = 0;

function open() {
  clearTimeout(timer);
  if (isOver || document.hidden) {
    return;
  }
  source = new EventSource(`${page.dataset.stream}?last_event_id=${lastEvent}`);
  source.addEventListener("open", () => {
    wait = 0;
    live.hidden = false;
  });
  source.addEventListener("order", (event) => {
    lastEvent = event.lastEventId;
    show(JSON.parse(event.data));
  });
  source.addEventListener("end", close);
  source.addEventListener("error", () => {
    live.hidden = true;
    // After a lost connection the browser tries again by itself; after an answer that is no stream it does not.
    if (source.readyState === EventSource.CLOSED) {
      wait = Math.min(30000, wait * 2 || 2000);
      timer = setTimeout(open, wait * (0.5 + Math.random()));
    }
  });
}

function close() {
  clearTimeout(timer);
  live.hidden = true;
  if (source) {
    source.close();
  }
}

function show(change) {
  const step = page.querySelector(`[data-step="${change.status}"]`);
  for (const other of page.querySelectorAll("[aria-current]")) {
    other.removeAttribute("aria-current");
  }
  step.setAttribute("aria-current", "step");
  step.hidden = false;
  if (!step.classList.contains("reached")) {
    step.classList.add("reached");
    const time = step.querySelector("time");
    time.dateTime = change.at;
    time.textContent = moment(change.at);
  }
  const status = document.getElementById("status");
  const label = step.querySelector("span").textContent;
  if (status.textContent !== label) {
    status.textContent = label;
  }
  isOver = change.status === "delivered" || change.status === "cancelled";
  if (change.changed) {
    showItems();
  }
}

function moment(at) {
  const style = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const parts = {};
  const format = new Intl.DateTimeFormat("en-US", { ...style, timeZone: page.dataset.timeZone });
  for (const part of format.formatToParts(new Date(at))) {
    parts[part.type] = part.value;
  }
  return `${parts.weekday} ${parts.day} ${parts.month} ${parts.hour}:${parts.minute}`;
}

async function showItems() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "application/json" } });
    if (!answer.ok) {
      throw new Error(answer.statusText);
    }
    const order = await answer.json();
    document.getElementById("items").replaceChildren(...order.items.map((item) => {
      const line = document.createElement("li");
      line.textContent = `${item.quantity} ${item.unit === "kg" ? "kg" : "x"} ${item.name}`;
      return line;
    }));
  } catch {
    setTimeout(showItems, 5000);
  }
}

// A page that nobody looks at costs neither data nor battery; what happened meanwhile comes when it is seen again.
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
addEventListener("pageshow", (event) => event.persisted && open());
open();
