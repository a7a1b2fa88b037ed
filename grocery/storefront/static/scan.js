// The camera finds the line: what it reads is marked as found. Only where the browser can read barcodes by itself.

import { say } from "./shop.js";

const button = document.getElementById("scan");

/** Show the button; `show` brings up the panel of a line. */
export function offerScan(show) {
  button.hidden = false;
  button.addEventListener("click", () => scan(show));
}

async function scan(show) {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    say(button.dataset.noCamera, "bad");
    return;
  }
  const dialog = document.createElement("dialog");
  dialog.id = "scanner";
  const video = document.createElement("video");
  Object.assign(video, { srcObject: stream, muted: true, playsInline: true });
  const close = document.createElement("button");
  Object.assign(close, { type: "button", className: "wide", textContent: button.dataset.close });
  close.addEventListener("click", () => dialog.close());
  dialog.append(video, close);
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    stream.getTracks().forEach((track) => track.stop());
    dialog.remove();
  });
  dialog.showModal();
  await video.play();
  await look(new BarcodeDetector(), video, dialog, show);
}

async function look(detector, video, dialog, show) {
  while (dialog.open) {
    const [found] = await detector.detect(video).catch(() => []);
    if (found) {
      dialog.close();
      take(found.rawValue, show);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

// What is weighed is brought up, to be weighed; all else is found.
function take(code, show) {
  const panel = [...document.querySelectorAll("[data-barcode]")].find((one) => one.dataset.barcode === code);
  if (!panel) {
    say(`${code}: ${button.dataset.none}`, "bad");
    return;
  }
  show(panel.dataset.line);
  const weigh = panel.querySelector("details input[name=scale]");
  if (weigh) {
    weigh.closest("details").open = true;
    weigh.form.querySelector("input[name=quantity]").focus();
  } else {
    panel.querySelector("[data-found]").click();
  }
}
