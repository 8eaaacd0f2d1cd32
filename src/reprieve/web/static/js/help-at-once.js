// Shows where help is, below the answer that was chosen. Without script the same comes after "Save and continue".
(() => {
  const panel = document.querySelector("[data-help-at-once]");
  const calm = ["none", "never", "prefer_not_to_say"];
  if (!panel) return;
  document.addEventListener("change", ({ target }) => {
    const grave = [...document.querySelectorAll(".tiles input:checked")].filter((box) => !calm.includes(box.value));
    const chosen = grave.includes(target) ? target : grave[0];
    if (chosen) chosen.closest(".tile").after(panel);
    panel.hidden = !chosen;
  });
})();
