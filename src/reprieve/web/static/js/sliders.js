// A slider that moves shows its value, and after a short pause what it changes: the page is asked for with the new
// settings, and every part marked data-live takes what it says there. Without script the button does the same.
(() => {
  const form = document.getElementById("settings");
  if (!form) return;
  const said = document.getElementById("in-short");
  let timer;
  let asked = new AbortController();

  const show = (slider) => {
    const unit = slider.dataset.unit;
    form.querySelector("output[for=" + slider.id + "]").value = slider.value + (unit ? " " + unit : "");
  };
  const take = (here, there) => {
    if (here.localName !== "picture") return here.replaceChildren(...there.childNodes);
    [...here.children].forEach((part, number) => {
      for (const { name, value } of there.children[number].attributes) part.setAttribute(name, value);
    });
  };
  const ask = async () => {
    const address = location.pathname + "?" + new URLSearchParams(new FormData(form));
    asked.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(address, { credentials: "same-origin", redirect: "error", signal: asked.signal });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const here of document.querySelectorAll("[data-live]")) {
        const there = page.getElementById(here.id);
        if (there) take(here, there);
      }
      history.replaceState(null, "", address);
    } catch (error) {
      if (error.name !== "AbortError") said.textContent = form.dataset.failed;
    }
  };
  form.addEventListener("input", ({ target }) => {
    show(target);
    clearTimeout(timer);
    timer = setTimeout(ask, 300);
  });
})();
