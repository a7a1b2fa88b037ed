// Barcodes: from the camera where the browser can read them by itself, or typed where the camera cannot.
//
// The dialog stands in the page (desk/_scanner.html). The camera is on only while the dialog is open and in sight.

// What groceries have. Many a pack has a QR code, too, which leads elsewhere.
const FORMATS = ["ean_13", "ean_8", "upc_a", "itf"];
const CODE = /^\d{8,14}$/;
const PAUSE = 200;
const MOST_FAILURES = 10;

const dialog = document.getElementById("scanner");
const video = dialog.querySelector("video");
const state = dialog.querySelector("[role=status]");
const light = dialog.querySelector("[data-light]");

let rounds = 0;

/** Show the button where this browser can read barcodes; `take` gets a code, once, when the dialog is closed. */
export async function offerCamera(button, take) {
  const hasCamera = "BarcodeDetector" in window && navigator.mediaDevices;
  const known = hasCamera ? await BarcodeDetector.getSupportedFormats().catch(() => []) : [];
  const formats = FORMATS.filter((one) => known.includes(one));
  if (!formats.length) {
    return;
  }
  const detector = new BarcodeDetector({ formats });
  const finish = (code) => {
    shut();
    take(code);
  };
  button.hidden = false;
  button.addEventListener("click", () => scan(detector, finish));
  dialog.addEventListener("close", putOut);
  dialog.querySelector("[data-close]").addEventListener("click", shut);
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    finish(event.target.elements.code.value);
  });
  // Who goes to another page or app leaves no camera on.
  document.addEventListener("visibilitychange", () => document.hidden && shut());
}

function tell(name) {
  state.textContent = state.dataset[name];
  state.classList.toggle("danger", name !== "ready");
  video.parentElement.hidden = name !== "ready";
}

function shut() {
  dialog.close();
  putOut();
}

function putOut() {
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
}

async function scan(detector, finish) {
  const round = ++rounds;
  const isOn = () => dialog.open && round === rounds;
  dialog.querySelector("form").reset();
  light.hidden = true;
  tell("ready");
  dialog.showModal();
  try {
    const wanted = { facingMode: "environment", width: { ideal: 1280 } };
    const stream = await navigator.mediaDevices.getUserMedia({ video: wanted });
    if (!isOn()) {
      stream.getTracks().forEach((track) => track.stop());
      return;
    }
    await show(stream);
    const code = await look(detector, isOn);
    if (code) {
      finish(code);
    }
  } catch (error) {
    if (isOn()) {
      putOut();
      tell({ NotAllowedError: "refused", NotFoundError: "missing" }[error.name] ?? "broken");
    }
  }
}

async function show(stream) {
  const [track] = stream.getVideoTracks();
  track.addEventListener("ended", () => {
    putOut();
    tell("broken");
  });
  light.hidden = !track.getCapabilities?.().torch;
  light.setAttribute("aria-pressed", "false");
  light.onclick = async () => {
    const isLit = light.getAttribute("aria-pressed") === "true";
    await track.applyConstraints({ advanced: [{ torch: !isLit }] });
    light.setAttribute("aria-pressed", `${!isLit}`);
  };
  video.srcObject = stream;
  await video.play();
}

// The first code that is seen; nothing when the dialog was closed or the camera has gone.
async function look(detector, isOn) {
  for (let failures = 0; isOn() && video.srcObject; ) {
    try {
      const seen = await detector.detect(video);
      const code = seen.map((one) => one.rawValue).find((one) => CODE.test(one));
      if (code && isOn()) {
        return code;
      }
      failures = 0;
    } catch (error) {
      failures += 1;
      if (failures === MOST_FAILURES) {
        throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  return null;
}
