// Suggestions while somebody types: a combobox with a list (WAI-ARIA Authoring Practices). Without this script the form
// searches; with it, too, for whoever does not choose one.

const DEBOUNCE = 150;
const form = document.querySelector("form[data-suggest]");
const input = form.q;
const list = Object.assign(document.createElement("ul"), { id: "suggestions", className: "suggestions", hidden: true });
const status = Object.assign(document.createElement("span"), { className: "hidden" });
let request = new AbortController();
let timer, active = -1;

list.setAttribute("role", "listbox");
list.setAttribute("aria-label", input.getAttribute("aria-label"));
status.setAttribute("role", "status");
form.append(list, status);
for (const [name, value] of Object.entries({
  role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false",
})) {
  input.setAttribute(name, value);
}

function show(isOpen) {
  list.hidden = !isOpen;
  input.setAttribute("aria-expanded", isOpen);
  activate(-1);
}

function activate(position) {
  active = position;
  [...list.children].forEach((option, at) => option.setAttribute("aria-selected", at === position));
  const option = list.children[position];
  option?.scrollIntoView({ block: "nearest" });
  if (option) {
    input.setAttribute("aria-activedescendant", option.id);
  } else {
    input.removeAttribute("aria-activedescendant");
  }
}

function money(price) {
  const digits = price.endsWith(".00") ? 0 : 2;
  return form.dataset.money.replace("1", Number(price).toLocaleString("en", { minimumFractionDigits: digits }));
}

// The part of an address after its number decides nothing; the right one saves a redirect.
const slug = (text) => text.normalize("NFKD").replace(/[^\0-\x7f]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, "-")
  .replace(/^-|-$/g, "").slice(0, 60) || "x";

const KINDS = {
  product: (one) => [`/p/${one.id}-${slug(one.text)}`, one.in_stock ? money(one.price) : form.dataset.gone],
  category: (one) => [`/c/${one.id}-${slug(one.text)}`, form.dataset.category],
  brand: (one) => [`${form.action}?brand=${encodeURIComponent(one.text)}`, form.dataset.brand],
  word: (one) => [`${form.action}?q=${encodeURIComponent(one.text)}`, ""],
};

function option(one, position) {
  const [address, note] = KINDS[one.kind](one);
  const item = Object.assign(document.createElement("li"), { id: `suggestion-${position}` });
  item.setAttribute("role", "option");
  item.dataset.address = address;
  item.append(one.text, Object.assign(document.createElement("small"), { textContent: note, className: "muted" }));
  return item;
}

async function suggest() {
  request.abort();
  const q = input.value.trim();
  if (!q) {
    show(false);
    return;
  }
  request = new AbortController();
  try {
    const query = new URLSearchParams({ q, limit: 8 });
    const answer = await fetch(`${form.dataset.suggest}?${query}`, { signal: request.signal });
    const found = answer.ok ? await answer.json() : [];
    list.replaceChildren(...found.map(option));
    show(found.length > 0);
    status.textContent = `${form.dataset.found} ${found.length}`;
  } catch {
    // A newer request took its place, or there is no network: the form searches all the same.
  }
}

input.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(suggest, DEBOUNCE);
});

input.addEventListener("keydown", (event) => {
  const count = list.children.length;
  if (event.key === "Escape" && !list.hidden) {
    event.preventDefault(); // or the browser would clear what was typed
    show(false);
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count) {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    const next = list.hidden ? (step > 0 ? 0 : count - 1) : active + step;
    if (list.hidden) {
      show(true);
    }
    // From the last to what was typed, and on to the first.
    activate(next < -1 ? count - 1 : next >= count ? -1 : next);
  } else if (event.key === "Enter" && active >= 0) {
    event.preventDefault();
    location.assign(list.children[active].dataset.address);
  }
});

// The list must not lose the focus to a tap before the tap is done.
list.addEventListener("pointerdown", (event) => event.preventDefault());
list.addEventListener("click", (event) => {
  const chosen = event.target.closest("li");
  if (chosen) {
    location.assign(chosen.dataset.address);
  }
});
input.addEventListener("blur", () => {
  clearTimeout(timer);
  request.abort();
  show(false);
});
