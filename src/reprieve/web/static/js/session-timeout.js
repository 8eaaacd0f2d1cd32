// Warns staff before the log-in runs out, and hides the page when it has.
(() => {
  const box = document.getElementById("session-timeout");
  if (!box) return;
  const seconds = Number(box.dataset.seconds);
  const warnSeconds = Number(box.dataset.warnSeconds);
  const words = box.querySelector("[data-words]");
  const stay = box.querySelector("[data-stay]");
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("session") : null;
  let endsAt = Date.now() + seconds * 1000;

  const say = (text) => {
    if (words.textContent !== text) words.textContent = text;
  };
  const renew = () => {
    endsAt = Date.now() + seconds * 1000;
    box.hidden = true;
  };
  const end = () => {
    clearInterval(clock);
    document.dispatchEvent(new Event("session-ended"));
    document.querySelectorAll("main, .nav").forEach((part) => (part.hidden = true));
    document.title = "Logged out";
    stay.hidden = true;
    box.querySelector("[data-again]").hidden = false;
    box.hidden = false;
    say("You were logged out because nothing happened for a while. Please log in again.");
  };
  const tick = () => {
    const left = Math.ceil((endsAt - Date.now()) / 1000);
    if (left <= 0) return end();
    if (left > warnSeconds) return;
    box.hidden = false;
    const minutes = Math.ceil(left / 60);
    say("You will be logged out in " + (left <= 30 ? "30 seconds" : minutes === 1 ? "1 minute" : minutes + " minutes") + ".");
  };
  const clock = setInterval(tick, 1000);

  stay.addEventListener("click", async () => {
    try {
      const answer = await fetch(box.dataset.stayUrl, { credentials: "same-origin", redirect: "error", cache: "no-store" });
      if (!answer.ok) return end();
      renew();
      tabs?.postMessage("renewed");
    } catch {
      say("We could not reach the server. Try again, or copy what you wrote.");
    }
  });
  // A page opened in another tab renews the log-in for this one too.
  if (tabs) {
    tabs.onmessage = renew;
    tabs.postMessage("renewed");
  }
})();
