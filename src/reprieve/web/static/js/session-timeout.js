// Warns staff before the log-in runs out. When it has, logs out for good and takes the page away.
// Writing in a form counts as being there; a page opened in another tab renews this one too.
(() => {
  const box = document.getElementById("session-timeout");
  if (!box) return;
  const seconds = Number(box.dataset.seconds);
  const warnSeconds = Number(box.dataset.warnSeconds);
  const words = box.querySelector("p");
  const stay = box.querySelector("button");
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("session") : null;
  let renewedAt = Date.now();
  let asking = false;

  const say = (text) => {
    if (words.textContent !== text) words.textContent = text;
  };
  const renew = () => {
    renewedAt = Date.now();
    box.hidden = true;
  };
  const end = () => {
    clearInterval(clock);
    if (tabs) tabs.close();
    document.dispatchEvent(new Event("session-ended"));
    const form = document.getElementById("log-out");
    const answers = new FormData(form);
    const main = document.getElementById("main");
    main.replaceChildren(box.querySelector("template").content);
    document.querySelector(".nav").remove();
    box.remove();
    document.title = "Logged out";
    main.querySelector("h1").focus();
    fetch(form.action, { method: "POST", body: answers, redirect: "manual" }).catch(() => {});
  };
  const tick = () => {
    const left = Math.ceil(seconds - (Date.now() - renewedAt) / 1000);
    if (left <= 0) return end();
    if (left > warnSeconds) return;
    box.hidden = false;
    const minutes = Math.ceil(left / 60);
    say("You will be logged out in " + (left <= 30 ? "30 seconds" : minutes === 1 ? "1 minute" : minutes + " minutes") + ".");
  };
  const clock = setInterval(tick, 1000);

  const ask = async () => {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch(box.dataset.stayUrl, { cache: "no-store", redirect: "manual" });
      if (!answer.ok) return end();
      renew();
      if (tabs) tabs.postMessage("renewed");
    } catch {
      say("We could not reach the server. Try again, or copy what you wrote.");
    } finally {
      asking = false;
    }
  };
  stay.addEventListener("click", ask);
  document.addEventListener("input", () => {
    if (Date.now() - renewedAt > seconds * 200) ask();
  });
  if (tabs) {
    tabs.onmessage = renew;
    tabs.postMessage("renewed");
  }
})();
