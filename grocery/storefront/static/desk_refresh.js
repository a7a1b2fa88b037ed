// Brings what has data-refresh anew each second, as long as it is there and somebody looks at it.
import { fetchParts } from "./shop.js";

const SECOND = 1000;
let wait = SECOND;

async function refresh() {
  const place = document.querySelector("[data-refresh]");
  if (!place) {
    return;
  }
  if (!document.hidden) {
    try {
      await fetchParts(place.dataset.refresh);
      wait = SECOND;
    } catch {
      wait = Math.min(wait * 2, 30 * SECOND); // The network may be gone; it comes back.
    }
  }
  setTimeout(refresh, wait);
}
setTimeout(refresh, wait);
