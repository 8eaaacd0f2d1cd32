// Shows where help is as soon as such an answer is chosen. Without script the same panel comes after "Save and continue".
(() => {
  const panel = document.querySelector("[data-help-at-once]");
  const calm = ["none", "never", "prefer_not_to_say"];
  if (!panel) return;
  const look = () => {
    const chosen = [...document.querySelectorAll(".tiles input:checked")].map((box) => box.value);
    panel.hidden = !chosen.some((value) => !calm.includes(value));
  };
  document.addEventListener("change", look);
  look();
})();
