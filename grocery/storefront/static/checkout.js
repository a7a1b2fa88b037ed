// What is typed is kept on the server as soon as a field is left, and problems are read out first. Choices that change the
// price need nothing here: shop.js sends them.

let seen = document.getElementById("problems");

addEventListener("change", ({ target }) => {
  const form = target.form;
  if (form?.id !== "checkout-form" || target.matches("[data-send]")) {
    return;
  }
  const address = form.querySelector("[data-send-button]").formAction;
  const body = new URLSearchParams(new FormData(form));
  fetch(address, { method: "POST", body, headers: { "X-Parts": "1" }, keepalive: true }).catch(() => {});
});

document.addEventListener("parts", () => {
  const problems = document.getElementById("problems");
  if (problems && problems !== seen) {
    problems.focus();
    problems.scrollIntoView({ block: "center" });
  }
  seen = problems;
});
