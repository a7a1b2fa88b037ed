// What axe does not check, or only as advice; each answers with the faults that it found. Read by page_checks.py.

const LEAST = 44;

const isShown = (element) =>
  element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
  !element.closest(".hidden, .skip:not(:focus)") &&
  element.getClientRects().length > 0;

const named = (element) => {
  const text = (element.getAttribute("aria-label") ?? element.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 40);
  const mark = element.id ? `#${element.id}` : element.className ? `.${`${element.className}`.trim().split(" ")[0]}` : "";
  return `${element.localName}${mark}${element.name ? `[name=${element.name}]` : ""} “${text}”`;
};

// What a finger can hit: a card is hit as a whole where its link lies over all of it, and a box by its label.
function target(element) {
  const after = getComputedStyle(element, "::after");
  if (after.content !== "none" && after.position === "absolute") {
    return element.offsetParent.getBoundingClientRect();
  }
  const label = /^(checkbox|radio)$/.test(element.type) ? element.labels[0] : null;
  return (label ?? element).getBoundingClientRect();
}

// A link within a sentence is as high as its line.
function isInText(element) {
  if (element.localName !== "a" || getComputedStyle(element).display !== "inline") {
    return false;
  }
  const around = element.parentElement.textContent.trim().length;
  const ofLinks = [...element.parentElement.querySelectorAll("a")].reduce((sum, link) => sum + link.textContent.trim().length, 0);
  return around > ofLinks + 3;
}

function tooSmall() {
  const all = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button]")];
  return all
    .filter((element) => isShown(element) && !element.disabled && !isInText(element))
    .map((element) => [element, target(element)])
    .filter(([, { width, height }]) => width < LEAST - 0.5 || height < LEAST - 0.5)
    .map(([element, { width, height }]) => `target of ${Math.round(width)}×${Math.round(height)}: ${named(element)}`);
}

function tooWide() {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) {
    return [];
  }
  const isOut = (one) => one.getBoundingClientRect().left + Math.max(one.offsetWidth ?? 0, one.scrollWidth) > root.clientWidth + 0.5;
  const widest = [...document.body.querySelectorAll("*")].filter((one) => isShown(one) && isOut(one)).at(-1);
  return [`scrolls sideways: ${root.scrollWidth} px wide, from ${widest ? named(widest) : "?"}`];
}

function unlabelled() {
  return [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
    .filter((field) => isShown(field) && !field.labels.length && !field.getAttribute("aria-label") && !field.getAttribute("aria-labelledby"))
    .map((field) => `no label: ${named(field)}`);
}

function badOutline() {
  const levels = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter(isShown).map((one) => Number(one.localName[1]));
  const faults = levels.flatMap((level, index) => (index && level > levels[index - 1] + 1 ? [`heading h${levels[index - 1]}, then h${level}`] : []));
  const first = levels.filter((level) => level === 1).length;
  return first === 1 ? faults : [`${first} h1`, ...faults];
}

function twice() {
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))].map((id) => `id twice: ${id}`);
}

function badWords(language) {
  const words = document.body.innerText;
  const found = words.match(/%\(\w+\)s|(?:^|: ?|\n)None(?=$|[\n,])|\bundefined\b|\bNaN\b/g) ?? [];
  const faults = [...new Set(found)].map((word) => `says “${word}”`);
  return document.documentElement.lang === language ? faults : [`lang is ${document.documentElement.lang}`, ...faults];
}

window.pageFaults = (language) => [...tooWide(), ...tooSmall(), ...unlabelled(), ...badOutline(), ...twice(), ...badWords(language)];

window.focusFault = () => {
  const focused = document.activeElement;
  if (!focused || focused === document.body) {
    return "";
  }
  const boxes = [...focused.getClientRects()].filter(({ width, height }) => width && height);
  const shows = (x, y) => {
    const there = document.elementFromPoint(x, y);
    return there && (focused.contains(there) || [...(focused.labels ?? [])].some((label) => label.contains(there)));
  };
  // Of what scrolls sideways, the end may be out of sight.
  const isSeen = boxes.some(({ left, top, width, height }) =>
    [0.5, 0.1, 0.9].some((part) => shows(left + width * part, top + height / 2)),
  );
  return isSeen ? "ok" : `focus is covered: ${named(focused)}`;
};
