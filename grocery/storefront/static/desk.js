// A list that stays as it is in the shop: asked for anew every few seconds while somebody looks at it.

import { fetchParts } from "./shop.js";

const place = document.querySelector("[data-refresh]");
const ticked = new Set();

function newest() {
  return document.getElementById("board")?.dataset.newest ?? "";
}

async function refresh() {
  if (document.hidden || document.querySelector("[aria-busy]")) {
    return;
  }
  const address = new URL(place.dataset.address, location.href);
  const cursor = new URLSearchParams(location.search).get("cursor");
  if (cursor) {
    address.searchParams.set("cursor", cursor);
  }
  address.searchParams.set("since", newest());
  try {
    await fetchParts(address);
  } catch {
    // No network for now: the next time, perhaps.
  }
}

// Rows are replaced; what was ticked in them stays ticked.
document.addEventListener("change", ({ target }) => {
  if (target.matches('input[name="order"]')) {
    ticked[target.checked ? "add" : "delete"](target.id);
  }
});
document.addEventListener("parts", () => {
  for (const box of document.querySelectorAll('input[name="order"]')) {
    box.checked = ticked.has(box.id);
  }
});
document.addEventListener("visibilitychange", refresh);

if (place) {
  setInterval(refresh, Number(place.dataset.refresh) * 1000);
}
