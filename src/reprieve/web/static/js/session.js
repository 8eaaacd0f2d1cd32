"use strict";
// Entries of a session go into the browser's own store first, each with an id, and from there to the server; so none
// is lost when the network, the page or the browser goes, and none is kept twice. The page says what is saved where.

(() => {
  const root = document.getElementById("session");
  const kept = document.getElementById("kept");
  const waiting = document.getElementById("waiting");
  const alarmsHere = document.getElementById("alarms-here");
  const key = document.querySelector("#key [name=csrfmiddlewaretoken]");
  if (!root || !kept || !key || !window.indexedDB) return;

  const RETRY_MS = 4000, LIVE_MS = 10000;
  const told = new Set();  // what was said aloud; once is enough
  const seen = {};  // what each live part was when it was last put in place
  let data = read();
  let aheadMs = Date.parse(data.now) - Date.now();  // how far the server's clock is ahead of this one
  let sending = false, offline = false, sound = null, last = null;

  function read() { return JSON.parse(document.getElementById("session-data").textContent); }
  function now() { return Date.now() + aheadMs; }
  function hour(ms) { return new Date(ms).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: data.zone }); }

  // The store

  const store = new Promise((done, failed) => {
    const asked = indexedDB.open("reprieve-session", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("entries", { keyPath: "uid" });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });

  async function change(act) {
    const database = await store;
    return new Promise((done, failed) => {
      const turn = database.transaction("entries", "readwrite", { durability: "strict" });
      act(turn.objectStore("entries"));
      turn.oncomplete = done;
      turn.onerror = turn.onabort = () => failed(turn.error);
    });
  }

  async function all() {
    const database = await store;
    return new Promise((done, failed) => {
      const asked = database.transaction("entries").objectStore("entries").getAll();
      asked.onsuccess = () => done(asked.result.filter(one => one.session === data.session).sort((a, b) => a.device_at < b.device_at ? -1 : 1));
      asked.onerror = () => failed(asked.error);
    });
  }

  // Writing down

  document.addEventListener("submit", event => {
    const form = event.target;
    if (!form.dataset.entry) return;
    event.preventDefault();
    const values = Object.fromEntries([...new FormData(form)].filter(([name, value]) => value !== "" && !["csrfmiddlewaretoken", "kind"].includes(name)));
    if (!fits(form, values)) return;
    const entry = {
      uid: newId(), session: data.session, member: data.member, kind: form.dataset.entry, data: values,
      device_at: new Date().toISOString(), words: form.dataset.words || form.querySelector("button").textContent,
    };
    change(rows => rows.put(entry)).then(() => {
      form.reset();
      const doubt = form.querySelector(".doubt");
      if (doubt) doubt.hidden = true;
      const details = form.closest("details");
      if (details) details.open = false;
      return show();
    }).then(send, () => say("This device cannot keep entries. Write on paper, and tell somebody.", true));
  });

  function newId() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));  // where the page is not served over TLS
    bytes[6] = bytes[6] & 15 | 64;
    bytes[8] = bytes[8] & 63 | 128;
    const hex = [...bytes].map(byte => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  function number(words) { return Number(String(words).trim().replace(",", ".")); }

  // What is plainly wrong is said at once; what is unusual is asked for again.
  function fits(form, values) {
    const said = form.dataset.entry, doubt = form.querySelector(".doubt");
    if (said !== "vitals") return complete(form, values);
    const read = Object.keys(data.vitals).filter(name => name in values);
    const words = read.filter(name => !Number.isFinite(number(values[name])));
    const odd = read.filter(name => number(values[name]) < data.vitals[name].low || number(values[name]) > data.vitals[name].high);
    const about = odd.map(name => `${data.vitals[name].words} ${values[name]} ${data.vitals[name].unit}: it is usually ${data.vitals[name].low} to ${data.vitals[name].high}.`);
    if ("systolic" in values && "diastolic" in values && number(values.systolic) <= number(values.diastolic)) about.push("The upper pressure is not above the lower one.");
    const problem = !read.length ? "Write at least one figure." : words.length ? `Write ${data.vitals[words[0]].words.toLowerCase()} as a number.`
      : about.length && !values.sure ? `${about.join(" ")} Look again. If the figures are right, tick that they are, and save once more.` : "";
    doubt.hidden = !problem;
    doubt.querySelector("[data-doubt]").textContent = problem;
    doubt.querySelector(".tile").hidden = !about.length || words.length > 0 || !read.length;
    if (problem) doubt.scrollIntoView({ block: "nearest" });
    return !problem;
  }

  function complete(form, values) {
    const needed = { adverse: ["term_code", "severity", "outcome"], rate: ["ml_per_h"], note: ["text"], correction: ["why"] }[form.dataset.entry] || [];
    const missing = needed.find(name => !(name in values));
    const rate = number(values.ml_per_h), figure = form.dataset.entry === "rate" && !missing && !(rate > 0 && rate <= 200);
    if (missing || figure) {
      const field = form.querySelector(`[name="${missing || "ml_per_h"}"]`);
      say(`Not kept yet: ${form.dataset.words || "this"} is not complete.`, true);
      field.focus();
    }
    return !missing && !figure;
  }

  // Sending

  async function send() {
    if (sending) return;
    const mine = (await all()).filter(one => one.member === data.member && !one.refused);
    if (!mine.length) return show();
    sending = true;
    try {
      const answer = await fetch(root.dataset.entriesUrl, {
        method: "POST", redirect: "manual", signal: AbortSignal.timeout(15000),
        headers: { "Content-Type": "application/json", "X-CSRFToken": key.value },
        body: JSON.stringify({ member: data.member, device_now: new Date().toISOString(), entries: mine.slice(0, 100).map(({ uid, kind, device_at, data }) => ({ uid, kind, device_at, data })) }),
      });
      if (answer.ok) {
        const { saved, refused } = await answer.json();
        await change(rows => {
          saved.forEach(uid => rows.delete(uid));
          refused.forEach(({ uid, why }) => { const one = mine.find(each => each.uid === uid); if (one) rows.put({ ...one, refused: why }); });
        });
        offline = false;
        last = now();
        await refresh();
      } else {
        offline = answer.type === "opaqueredirect" || answer.status === 403 || answer.status === 409 ? "log-in" : "server";
        if (offline === "log-in") {  // after a new log-in the page's parts bring the new key
          data.stamp = "";
          await refresh();
        }
      }
    } catch {
      offline = "network";
    }
    sending = false;
    await show();
  }

  async function refresh() {
    try {
      const answer = await fetch(`${root.dataset.liveUrl}?stamp=${data.stamp}`, { redirect: "manual", signal: AbortSignal.timeout(15000) });
      if (answer.status === 204) { offline = false; return; }
      if (!answer.ok) { offline = answer.type === "opaqueredirect" ? "log-in" : "server"; return; }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[name=csrfmiddlewaretoken]");
      if (fresh) key.value = fresh.value;
      const moved = JSON.parse(page.getElementById("session-data").textContent).phase !== data.phase;
      for (const part of page.querySelectorAll("[data-live]")) {
        const name = part.dataset.live, place = root.querySelector(`[data-live="${name}"]`);
        if (!place || seen[name] === part.outerHTML || (!moved && isTyped(place))) continue;
        seen[name] = part.outerHTML;
        place.replaceWith(document.adoptNode(part));
      }
      data = read();
      aheadMs = Date.parse(data.now) - Date.now();
      offline = false;
      warn();
    } catch {
      offline = "network";
    }
  }

  // What somebody is writing is not taken away from under the hands.
  function isTyped(part) {
    return [...part.querySelectorAll("input:not([type=hidden]), select")].some(field => field === document.activeElement
      || (field.type === "radio" || field.type === "checkbox" ? field.checked !== field.defaultChecked
        : field.options ? field.selectedIndex > 0 : field.value !== field.defaultValue));
  }

  // Saying

  function say(words, wrong) {
    kept.textContent = words;
    kept.classList.toggle("late", Boolean(wrong));
  }

  async function show() {
    const mine = await all(), others = mine.filter(one => one.member !== data.member);
    const refused = mine.filter(one => one.refused), count = mine.length - refused.length - others.length;
    waiting.hidden = !mine.length;
    waiting.replaceChildren(...mine.map(one => {
      const line = document.createElement("li");
      const why = one.refused ? `not taken by the server: ${one.refused}` : one.member !== data.member ? "of another member, who must log in here to send it" : "waits on this device";
      line.textContent = `${hour(Date.parse(one.device_at) + aheadMs)} ${one.words}${figures(one)}: ${why}`;
      line.dataset.uid = one.uid;
      return line;
    }));
    const many = count === 1 ? "1 entry waits on this device" : `${count} entries wait on this device`;
    if (count && offline === "log-in") {
      say(`${many}. You are logged out: log in in another tab, then they are sent.`, true);
    } else if (count) {
      say(`${many}${offline === "network" ? ": no network" : offline === "server" ? ": the server does not answer" : ""}. Do not clear this browser; they are sent by themselves.`, Boolean(offline));
    } else if (refused.length) {
      say(refused.length === 1 ? "1 entry was not taken by the server. Write it again." : `${refused.length} entries were not taken by the server. Write them again.`, true);
    } else if (offline) {
      say(offline === "log-in" ? "You are logged out. Nothing waits here. Log in in another tab to go on." : "No network. New entries are kept on this device until it is back.", true);
    } else {
      say(last ? `Saved on the server ${hour(last)}.` : "Everything so far is saved on the server.");
    }
    tell(mine);
    judge(mine);
  }

  // The drip as it stands with what waits here: who pressed Stop must see that it is noted.
  const turns = { start: "The drip runs", pause: "The drip is paused", resume: "The drip runs", stop: "The drip has stopped" };
  function tell(mine) {
    const turn = mine.filter(one => one.kind in turns && !one.refused).pop(), phase = root.querySelector(".phase");
    if (!turn || !phase) return;
    phase.textContent = `${turns[turn.kind]}: noted on this device at ${hour(Date.parse(turn.device_at) + aheadMs)}, not yet on the server`;
    delete seen.strip;
    data.stamp = "";
  }

  function figures(one) {
    return one.kind === "vitals" ? ` ${Object.keys(data.vitals).filter(name => name in one.data).map(name => one.data[name]).join(", ")}` : "";
  }

  // The signed rules, on what waits here: no network, no silence. The server applies the same rules to what it has.
  function judge(mine) {
    const here = mine.filter(one => one.kind === "vitals" && !one.refused).map(one => ({
      uid: one.uid, at: Date.parse(one.device_at) + aheadMs,
      values: Object.fromEntries(Object.keys(data.vitals).filter(name => name in one.data).map(name => [name, number(one.data[name])])),
    }));
    const every = data.readings.map(one => ({ ...one, at: Date.parse(one.at) })).concat(here).sort((a, b) => a.at - b.at);
    const found = [];
    every.forEach((reading, place) => {
      if (!here.some(one => one.uid === reading.uid)) return;
      for (const [what, value] of Object.entries(reading.values)) {
        const rule = data.rules.find(rule => rule.what === what && fires(rule, value) && longEnough(rule, every.slice(0, place), reading));
        if (rule) found.push({ key: `${rule.id} ${reading.uid}`, rule, value });
      }
    });
    for (const one of mine.filter(one => one.kind === "adverse" && !one.refused)) {
      const term = data.terms[one.data.term_code];
      if (term && (term.stops || one.data.severity === "severe")) found.push({ key: `event ${one.uid}`, rule: { ...term, level: "stop" } });
    }
    alarmsHere.replaceChildren(...found.map(({ key, rule, value }) => {
      const box = document.createElement("div");
      box.className = `panel alarm ${rule.level === "stop" ? "danger" : "caution"}`;
      box.dataset.alarm = key;
      box.dataset.level = rule.level;
      const words = document.createElement("p"), strong = document.createElement("b"), source = document.createElement("p");
      strong.textContent = value === undefined ? `${rule.words}.` : `${rule.words}: ${value}.`;
      words.append(strong, ` ${rule.action}`);
      source.className = "small";
      source.textContent = `Rule: ${rule.source}${rule.mark ? ` (${rule.mark})` : ""}. This entry waits on this device.`;
      box.append(words, source);
      return box;
    }));
    warn();
  }

  function fires(rule, value) { return rule.above !== null ? value > rule.above : value < rule.below; }

  function longEnough(rule, before, reading) {
    if (!rule.again_min) return true;
    for (const earlier of [...before].reverse()) {
      if (!(rule.what in earlier.values)) continue;
      if (!fires(rule, earlier.values[rule.what])) return false;
      if (reading.at - earlier.at >= rule.again_min * 60000) return true;
    }
    return false;
  }

  // The clock that speaks

  function minutes(ms) { return Math.floor(ms / 60000); }

  function tick() {
    const run = document.getElementById("minutes-run"), left = document.getElementById("minutes-left"), due = document.getElementById("reading-due");
    if (run && data.started_at) run.textContent = minutes(now() - Date.parse(data.started_at));
    if (left && data.ends_at) left.textContent = Math.max(Math.ceil((Date.parse(data.ends_at) - now()) / 60000), 0);
    if (due && data.reading_due_at) {
      const late = now() - dueAt();
      due.textContent = late > 0 ? `${Math.max(minutes(late), 1)} min late` : `due in ${Math.ceil(-late / 60000)} min`;
      due.classList.toggle("late", late > 0);
      if (late > 0) speak(`due ${dueAt()}`, "A reading is due.");
    }
  }

  // A reading that waits on this device counts, so that nobody is asked for it again.
  function dueAt() {
    const here = waiting.children.length ? waitingPressureAt : 0;
    return Math.max(Date.parse(data.reading_due_at), here ? here + data.every_min * 60000 : 0);
  }
  let waitingPressureAt = 0;

  function warn() {
    const open = [...document.querySelectorAll("[data-alarm]")];
    all().then(mine => { waitingPressureAt = Math.max(0, ...mine.filter(one => one.kind === "vitals" && one.data.systolic && !one.refused).map(one => Date.parse(one.device_at) + aheadMs)); });
    const grave = open.find(box => box.dataset.level === "stop") || open[0];
    if (grave) speak(grave.dataset.alarm, grave.querySelector("b").textContent, grave.dataset.level === "stop");
  }

  function speak(what, words, grave) {
    if (!sound || told.has(what)) return;
    told.add(what);
    [0, 0.3, 0.6].slice(0, grave ? 3 : 1).forEach(after => {
      const tone = sound.createOscillator(), volume = sound.createGain();
      tone.frequency.value = grave ? 880 : 587;
      volume.gain.value = 0.2;
      tone.connect(volume).connect(sound.destination);
      tone.start(sound.currentTime + after);
      tone.stop(sound.currentTime + after + 0.2);
    });
    if (window.speechSynthesis) speechSynthesis.speak(new SpeechSynthesisUtterance(words));
  }

  const button = document.getElementById("sound");
  if (button && window.AudioContext) {
    button.hidden = false;
    button.addEventListener("click", () => {
      if (sound) { sound.close(); sound = null; } else { sound = new AudioContext(); told.clear(); speak("test", "The sound is on."); }
      button.textContent = sound ? "Turn the sound off" : "Turn the sound on";
    });
  }

  addEventListener("online", send);
  addEventListener("beforeunload", event => { if (waiting.children.length) event.preventDefault(); });
  for (const part of root.querySelectorAll("[data-live]")) seen[part.dataset.live] = part.outerHTML;
  setInterval(tick, 1000);
  setInterval(send, RETRY_MS);
  setInterval(() => refresh().then(show), LIVE_MS);
  show().then(send);
  tick();
})();
