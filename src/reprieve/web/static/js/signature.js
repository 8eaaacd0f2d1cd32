// A pad to sign on with a mouse, a pen or a finger. The strokes go into a hidden field as points from 0 to 1.
// Without script there is no pad, and the name is typed.
(() => {
  const STEP = 0.004; // points nearer than this to the last one are left out
  const MOST = 1000; // with more points every second one goes
  const WIDE = 900;
  const HIGH = 300;

  const start = (place) => {
    const field = place.querySelector("input[type=hidden]");
    const canvas = document.createElement("canvas");
    const clear = document.createElement("button");
    const pen = canvas.getContext("2d");
    let strokes = [];
    let drawing = null;

    canvas.width = WIDE;
    canvas.height = HIGH;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", place.dataset.signature + ". You can type the name instead.");
    Object.assign(canvas.style, { width: "100%", maxWidth: "28rem", aspectRatio: "3", touchAction: "none" });
    Object.assign(canvas.style, { display: "block", background: "#fff", border: "1px solid #6a7679", borderRadius: "4px" });
    clear.type = "button";
    clear.className = "button text";
    clear.textContent = "Clear the pad";

    const draw = () => {
      pen.clearRect(0, 0, WIDE, HIGH);
      pen.lineWidth = 5;
      pen.lineCap = pen.lineJoin = "round";
      pen.strokeStyle = "#1b2426";
      for (const stroke of strokes) {
        pen.beginPath();
        pen.moveTo(stroke[0][0] * WIDE, stroke[0][1] * HIGH);
        for (const [x, y] of stroke.length > 1 ? stroke.slice(1) : stroke) pen.lineTo(x * WIDE, y * HIGH);
        pen.stroke();
      }
    };
    const keep = () => {
      field.value = strokes.length ? JSON.stringify(strokes) : "";
      draw();
    };
    const thin = () => {
      const points = strokes.reduce((sum, stroke) => sum + stroke.length, 0);
      if (points <= MOST) return;
      strokes = strokes.map((stroke) => stroke.filter((_, place) => place % 2 === 0 || place === stroke.length - 1));
      drawing = strokes[strokes.length - 1];
    };
    const inside = (value) => Math.round(Math.min(Math.max(value, 0), 1) * 1000) / 1000;
    const point = (event) => {
      const box = canvas.getBoundingClientRect();
      return [inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height)];
    };

    try {
      strokes = JSON.parse(field.value || "[]");
      draw();
    } catch {
      strokes = [];
    }
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      drawing = [point(event)];
      strokes.push(drawing);
      keep();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!drawing) return;
      const [x, y] = point(event);
      const [lastX, lastY] = drawing[drawing.length - 1];
      if (Math.hypot(x - lastX, y - lastY) < STEP) return;
      drawing.push([x, y]);
      thin();
      keep();
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (drawing = null));
    clear.addEventListener("click", () => {
      strokes = [];
      keep();
    });
    place.append(canvas, clear);
  };

  document.querySelectorAll("[data-signature]").forEach(start);
})();
