// Quick exit. The plain link works without this; with it, "back" does not lead here again,
// and pressing Escape three times does the same.
(() => {
  const link = document.getElementById("leave");
  const hint = document.getElementById("leave-hint");
  if (!link) return;

  const say = (words) => {
    hint.textContent = words;
  };
  const leave = () => {
    document.documentElement.hidden = true;
    location.replace(link.dataset.leave);
  };
  const usual = "Or press the Escape key three times.";
  let pressed = 0;
  let timer;

  link.addEventListener("click", (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    leave();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.repeat) return;
    clearTimeout(timer);
    pressed += 1;
    if (pressed === 3) return leave();
    say(pressed === 1 ? "Press Escape two more times to leave." : "Press Escape once more to leave.");
    timer = setTimeout(() => {
      pressed = 0;
      say(usual);
    }, 5000);
  });
  // A page kept in memory must not come back blank.
  addEventListener("pageshow", () => {
    document.documentElement.hidden = false;
  });
  say(usual);
})();
