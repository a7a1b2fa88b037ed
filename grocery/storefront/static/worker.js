// The shop without network: its styles, a page that helps, and the last basket, order and tracking page as they were
// then. Nothing else is kept, and nothing that is kept is shown while the network answers. The server puts SHOP before
// this: { version, files, lang, words: { en: { offline, asOf }, … } }.

const FILES = `files-${SHOP.version}`;
const LANGUAGE = "/language";
const PAGES = "pages";

// Of each kind, the last one.
const KEPT = [/^\/basket$/, /^\/(account\/orders|checkout\/done)\/\d+$/, /^\/t\/[^/]+$/];

// What these change is whose pages they are.
const LEAVES = /^\/(sign-in|sign-out|register|reset|verify|account\/(?!orders|lists))/;

addEventListener("install", (event) => {
  // The pages that help are nobody's: they are asked for without cookies.
  const pages = Object.values(SHOP.words).map(({ offline }) => new Request(offline, { credentials: "omit" }));
  event.waitUntil(caches.open(FILES).then((cache) => cache.addAll([...SHOP.files, ...pages])));
});

// A new one waits until no page has the old one: in Chromium, a page that is led on while workers change never comes.
addEventListener("activate", (event) => event.waitUntil(tidy()));

async function tidy() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== FILES && name !== PAGES).map((name) => caches.delete(name)));
}

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) {
    return;
  }
  // Who is led to the sign-in may have been signed out elsewhere.
  if (pathname === "/sign-in" || (request.method === "POST" && LEAVES.test(pathname))) {
    event.waitUntil(caches.delete(PAGES));
  }
  if (request.method !== "GET") {
    return; // A form that could not be sent is still in the browser, which sends it again when it is told to.
  }
  if (request.mode === "navigate") {
    event.respondWith(show(event, pathname));
  } else if (pathname.startsWith("/static/")) {
    event.respondWith(send(request, pathname));
  }
});

// A page that was kept may name the files of an older version.
async function send(request, path) {
  const kept = await caches.match(request);
  const name = path.slice(path.lastIndexOf("/"));
  return kept ?? fetch(request).catch(() => caches.match(SHOP.files.find((file) => file.endsWith(name)) ?? request));
}

async function show(event, path) {
  try {
    const answer = await fetch(event.request);
    event.waitUntil(noteLanguage(answer.headers.get("Content-Language")));
    if (answer.ok && KEPT.some((kind) => kind.test(path))) {
      event.waitUntil(keep(path, answer.clone()));
    }
    return answer;
  } catch {
    const kept = await (await caches.open(PAGES)).match(path);
    const lang = await lastLanguage();
    return kept ? withNote(kept, lang) : caches.match(SHOP.words[lang].offline);
  }
}

// The worker speaks as the page that was seen last.
let noted;

async function noteLanguage(lang) {
  if (lang in SHOP.words && lang !== noted) {
    noted = lang;
    await (await caches.open(FILES)).put(LANGUAGE, new Response(lang));
  }
}

async function lastLanguage() {
  return noted ?? (await (await caches.match(LANGUAGE))?.text()) ?? SHOP.lang;
}

async function keep(path, answer) {
  const cache = await caches.open(PAGES);
  const kind = KEPT.find((one) => one.test(path));
  for (const { url } of await cache.keys()) {
    if (kind.test(new URL(url).pathname)) {
      await cache.delete(url);
    }
  }
  const headers = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": answer.headers.get("Content-Security-Policy"),
    "Kept-At": new Date().toISOString(),
  };
  await cache.put(path, new Response(await answer.text(), { headers }));
}

// As it was then, and it says so.
async function withNote(kept, lang) {
  const at = new Date(kept.headers.get("Kept-At"));
  const isToday = at.toDateString() === new Date().toDateString();
  const day = isToday ? {} : { weekday: "short", day: "numeric", month: "short" };
  const clock = at.toLocaleString(lang, { ...day, hour: "2-digit", minute: "2-digit", hour12: false });
  const note = `$&<p class="said note" role="alert">${SHOP.words[lang].asOf.replace("{time}", clock)}</p>`;
  const html = (await kept.text()).replace(/<main[^>]*>/, note);
  return new Response(html, { headers: kept.headers });
}
