// Asks the server now and then how many enquiries are new, and offers a link to update the list.
// The list itself stays as it is, and the focus stays where it was.
(() => {
  const place = document.querySelector("[data-update-url]");
  if (!place) return;
  const clockTime = () => new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  let lastHeard = clockTime();

  const show = (count) => {
    const words = "Update list (" + count + " new)";
    if (!count || place.textContent === words) return;
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = words;
    place.replaceChildren(link);
  };
  const ask = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(place.dataset.updateUrl, { credentials: "same-origin", redirect: "error", cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      const { new: count } = await answer.json();
      lastHeard = clockTime();
      if (!count) place.replaceChildren();
      show(count);
    } catch {
      place.textContent = "This list has not been checked since " + lastHeard + ". Load the page again.";
    }
  };
  const timer = setInterval(ask, Number(place.dataset.seconds || 30) * 1000);
  document.addEventListener("visibilitychange", ask);
  document.addEventListener("session-ended", () => clearInterval(timer));
})();
