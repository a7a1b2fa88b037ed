// Stands in for the BarcodeDetector that Chromium has on Android, and not on Linux: it reads an EAN-13 from the pixels of
// one line of what it is given. Camera, permission and video are the browser's own.

const LEFT = ["0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011"];
const turned = (code) => [...code].map((one) => (one === "1" ? "0" : "1")).join("");
const RIGHT = LEFT.map(turned);
const EVEN = RIGHT.map((code) => [...code].reverse().join(""));
const PARITY = ["OOOOOO", "OOEOEE", "OOEEOE", "OOEEEO", "OEOOEE", "OEEOOE", "OEEEOO", "OEOEOE", "OEOEEO", "OEEOEO"];

// How long each run of black or white is, from the first bar on.
function runs(pixels) {
  const isDark = (place) => pixels[place * 4] < 128;
  const found = [];
  let start = 0;
  for (let place = 1; place <= pixels.length / 4; place += 1) {
    if (place === pixels.length / 4 || isDark(place) !== isDark(start)) {
      found.push({ isDark: isDark(start), length: place - start });
      start = place;
    }
  }
  return found[0].isDark ? found : found.slice(1);
}

function read(pixels) {
  const bars = runs(pixels).slice(0, 59);
  if (bars.length < 59) {
    return null;
  }
  const module = bars.reduce((sum, { length }) => sum + length, 0) / 95;
  const code = bars.map(({ isDark, length }) => (isDark ? "1" : "0").repeat(Math.round(length / module))).join("");
  const digits = (from) => Array.from({ length: 6 }, (_, index) => code.slice(from + index * 7, from + index * 7 + 7));
  const left = digits(3);
  const first = PARITY.indexOf(left.map((one) => (LEFT.includes(one) ? "O" : "E")).join(""));
  const numbers = [first, ...left.map((one) => Math.max(LEFT.indexOf(one), EVEN.indexOf(one))), ...digits(50).map((one) => RIGHT.indexOf(one))];
  const sum = numbers.reduce((total, number, index) => total + number * (index % 2 ? 3 : 1), 0);
  return code.length === 95 && !numbers.includes(-1) && sum % 10 === 0 ? numbers.join("") : null;
}

window.detections = [];
window.BarcodeDetector = class {
  static async getSupportedFormats() {
    return ["ean_13", "qr_code"];
  }

  constructor({ formats }) {
    window.askedFormats = formats;
  }

  async detect(video) {
    const canvas = new OffscreenCanvas(video.videoWidth, 1);
    const pen = canvas.getContext("2d");
    pen.drawImage(video, 0, video.videoHeight / 2, video.videoWidth, 1, 0, 0, video.videoWidth, 1);
    const rawValue = read(pen.getImageData(0, 0, video.videoWidth, 1).data);
    window.detections.push(rawValue);
    return rawValue ? [{ rawValue, format: "ean_13" }] : [];
  }
};
