// "Show more" puts the next page below the products that are there; the address then has all of them, so that whoever
// comes back finds the place again.
import { awaitPictures, say } from "./shop.js";

const TIMEOUT = 10_000;
const MAX_PAGES = 4; // of one address, as shelf.py has it

async function showMore(link) {
  const answer = await fetch(link.href, { headers: { "X-Parts": "1" }, signal: AbortSignal.timeout(TIMEOUT) });
  if (!answer.headers.get("X-Parts")) {
    throw new Error(answer.status);
  }
  const parts = new DOMParser().parseFromString(await answer.text(), "text/html");
  const cards = [...parts.querySelectorAll("#products > li")].filter((card) => !document.getElementById(card.id));
  document.getElementById("products").append(...cards);
  awaitPictures();
  document.getElementById("more").replaceWith(parts.getElementById("more"));
  history.replaceState(null, "", longer(new URL(location), link.href));
  say(link.dataset.done);
  cards[0]?.querySelector("a").focus({ preventScroll: true });
}

/** The address of what is shown now; that of the last page where it would be too long. */
function longer(here, last) {
  const pages = 1 + Number(here.searchParams.get("pages") ?? 1);
  here.searchParams.set("pages", pages);
  return pages > MAX_PAGES ? last : here;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("#more a");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    link.setAttribute("aria-busy", "true");
    showMore(link).catch(() => location.assign(link.href));
  }
});
