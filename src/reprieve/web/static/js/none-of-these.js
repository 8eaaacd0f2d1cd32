// "None of these" and the other answers of the same list rule each other out. What it unticked
// comes back when it is unticked again. The server checks this too; nothing depends on the script.
(() => {
  for (const list of document.querySelectorAll("[data-list]")) {
    const boxes = [...list.querySelectorAll("input[type=checkbox]")];
    const alone = (box) => box.closest("label").hasAttribute("data-alone");
    const said = list.parentElement.querySelector("[data-said]");
    let taken = [];

    list.addEventListener("change", ({ target: box }) => {
      if (!box.checked) {
        if (alone(box)) taken.forEach((other) => (other.checked = true));
        taken = [];
        said.textContent = "";
        return;
      }
      const others = boxes.filter((other) => other !== box && other.checked && (alone(box) || alone(other)));
      others.forEach((other) => (other.checked = false));
      taken = alone(box) ? others : [];
      const words = others.map((other) => "“" + other.closest("label").textContent.trim() + "”");
      said.textContent = words.length ? "We took away your tick from " + words.join(", ") + "." : "";
    });
  }
})();
