// A barcode that is scanned comes into a field; where the field is to search with, the search begins.

import { offerCamera } from "./scan.js";

const button = document.querySelector("[data-scan-into]");
if (button) {
  const field = document.getElementById(button.dataset.scanInto);
  const isSearch = field.form.matches("[role=search]");
  offerCamera(button, (code) => {
    field.value = code;
    isSearch ? field.form.requestSubmit() : field.focus();
  });
  // A hand scanner ends with Enter, which would send a form that is not filled in yet.
  field.addEventListener("keydown", (event) => event.key === "Enter" && !isSearch && event.preventDefault());
}
