// Parts of a page that change by themselves are asked for again every few seconds, while the page is looked at.
import { fetchParts } from "./shop.js";

const SECONDS = 5;

setInterval(() => {
  if (document.visibilityState === "visible") {
    fetchParts(location.pathname).catch(() => {}); // The next look may succeed; the page has a button, too.
  }
}, SECONDS * 1000);
