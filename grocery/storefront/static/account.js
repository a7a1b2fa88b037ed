// Signing in by SMS: the time until another code can be sent counts down, and a phone that may reads the code itself.

for (const button of document.querySelectorAll("[data-wait]")) {
  const text = button.textContent;
  const readyAt = Date.now() + 1000 * button.dataset.wait;
  const hint = button.form.querySelector("[data-wait-hint]");
  const tick = () => {
    const left = Math.ceil((readyAt - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? button.dataset.waitText.replace("{0}", left) : text;
    if (left > 0) {
      setTimeout(tick, 1000);
    }
  };
  if (hint) {
    hint.hidden = true;
  }
  tick();
}

// https://developer.mozilla.org/en-US/docs/Web/API/WebOTP_API: the last line of the SMS is "@domain #123456".
const form = document.querySelector("form[data-sms]");
if (form && "OTPCredential" in window) {
  const waiting = new AbortController();
  form.addEventListener("submit", () => waiting.abort());
  navigator.credentials.get({ otp: { transport: ["sms"] }, signal: waiting.signal }).then((found) => {
    form.elements.code.value = found.code;
    form.requestSubmit();
  }).catch(() => {});
}
