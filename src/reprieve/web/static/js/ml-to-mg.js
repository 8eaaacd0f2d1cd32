// Says how many mg the mL are that stand in the field, before they are sent. Without script the next page says it.
(() => {
  const said = document.querySelector("[data-mg-per-ml]");
  const field = said && document.getElementById(said.htmlFor.value);
  if (!field) return;
  const say = () => {
    const typed = field.value.trim();
    const mg = Number((Number(typed) * Number(said.dataset.mgPerMl)).toFixed(4));
    said.value = /^\d+(\.\d{1,2})?$/.test(typed) ? typed + " mL is " + mg + " mg" : "";
  };
  field.addEventListener("input", say);
  say();
})();
