// Shows the photo that was chosen before it is sent, and says at once when it is too big.
const input = document.getElementById("file");
const preview = document.getElementById("preview");
const wrong = document.getElementById("file-wrong");

input?.addEventListener("change", () => {
  const [file] = input.files;
  const { most, tooLarge } = input.form.dataset;
  const isTooLarge = Boolean(file) && file.size > Number(most);
  wrong.textContent = isTooLarge ? tooLarge : "";
  if (!file || isTooLarge) {
    input.value = "";
    return;
  }
  // As data, since the page's policy lets pictures come from nowhere else than the shop.
  const reader = new FileReader();
  reader.onload = () => {
    preview.src = reader.result;
    preview.hidden = false;
    preview.nextElementSibling?.remove();
  };
  reader.readAsDataURL(file);
});
