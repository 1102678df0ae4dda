"""What is put into a page: a watch over what its scripts still wait for, and the reading of the finished document."""

import json
import secrets

NAME = f"_{secrets.token_hex(8)}"
"""Of the watch, in the page. Made for this process, so that no page can know it beforehand."""

COUNTED_DELAY_MS = 1000
"""A timer that runs later than this is not waited for: a reader would not wait either."""

COUNTED_DEPTH = 5
"""Timers that timers set are waited for this deep; a clock or a poll goes on for ever."""

WATCH = (
    """(() => {
const pending = new Set();
const state = {frames: 0, changed: 0, used: false};
const setLater = window.setTimeout.bind(window), setEvery = window.setInterval.bind(window);
const clearLater = window.clearTimeout.bind(window), nextFrame = window.requestAnimationFrame.bind(window);
let depth = 0;
const counted = (start, key, callback, delay, rest) => {
  const inner = depth + 1;
  let id = 0;
  const run = function (...args) {
    pending.delete(key + id);
    const outer = depth;
    depth = inner;
    try { return callback.apply(this, args); } finally { depth = outer; }
  };
  id = start(run, delay, ...rest);
  pending.add(key + id);
  state.used = true;
  return id;
};
const counts = (callback, delay) =>
  typeof callback === "function" && depth < DEPTH && !(Number(delay) > DELAY);
window.setTimeout = function setTimeout(callback, delay, ...rest) {
  return counts(callback, delay)
    ? counted(setLater, "t", callback, delay, rest) : setLater(callback, delay, ...rest);
};
window.setInterval = function setInterval(callback, delay, ...rest) {
  return counts(callback, delay)
    ? counted(setEvery, "t", callback, delay, rest) : setEvery(callback, delay, ...rest);
};
window.clearTimeout = function clearTimeout(id) { pending.delete("t" + id); clearLater(id); };
window.clearInterval = function clearInterval(id) { pending.delete("t" + id); clearLater(id); };
window.requestAnimationFrame = function requestAnimationFrame(callback) {
  if (depth >= DEPTH || typeof callback !== "function") return nextFrame(callback);
  state.frames++;
  return counted(run => nextFrame(run), "f", callback, 0, []);
};
const cancelFrame = window.cancelAnimationFrame.bind(window);
window.cancelAnimationFrame = function cancelAnimationFrame(id) { pending.delete("f" + id); cancelFrame(id); };
for (const name of ["IntersectionObserver", "ResizeObserver"]) {
  const Kind = window[name];
  window[name] = class extends Kind {
    observe(...args) { state.frames++; state.used = true; return super.observe(...args); }
  };
  Object.defineProperty(window[name], "name", {value: name});
}
window.alert = function alert() {};
window.confirm = function confirm() { return false; };
window.prompt = function prompt() { return null; };
window.print = function print() {};
if (navigator.serviceWorker)
  ServiceWorkerContainer.prototype.register = () => Promise.reject(new DOMException("not here", "SecurityError"));
Object.defineProperty(window, "NAME", {value: {pending, state, setLater}});
})()""".replace("NAME", NAME)
    .replace("DEPTH", str(COUNTED_DEPTH))
    .replace("DELAY", str(COUNTED_DELAY_MS))
)
"""Counts the timers and frames that a page's scripts wait for, and keeps dialogs and service workers out."""

_READ = """(async (longest, grace, limit) => {
const watch = window.NAME;
const now = () => performance.now(), began = now();
if (watch) {
  const pause = ms => new Promise(done => watch.setLater(done, ms));
  const busy = () => watch.pending.size > 0 || document.readyState !== "complete";
  if (grace || (watch.state.used || document.scripts.length) && busy()) {
    let last = began;
    const mutations = new MutationObserver(() => { last = now(); });
    mutations.observe(document, {childList: true, subtree: true, characterData: true});
    await pause(0);
    while (now() - began < longest && (busy() || now() - last < grace)) {
      if ([...watch.pending].some(key => key[0] === "f")) break;
      await pause(5);
    }
    mutations.disconnect();
  }
}
const type = document.doctype ? new XMLSerializer().serializeToString(document.doctype) : "";
const html = type + (document.documentElement ? document.documentElement.outerHTML : "");
return {
  url: document.URL, html: html.length > limit ? null : html,
  frames: watch ? watch.state.frames : 0, busy: watch ? watch.pending.size > 0 : false,
};
})"""


def read_script(*, longest: float, grace: float, limit: int) -> str:
    """An expression that waits until the page is quiet, at most `longest` seconds, and gives its document.

    `grace` are the seconds without a change that count as quiet. The value has the document's address (`url`), its text
    (`html`; null above `limit` characters), how often frames were asked for (`frames`), and whether something is still
    awaited (`busy`).
    """
    arguments = (round(longest * 1000), round(grace * 1000), limit)
    return f"{_READ.replace('NAME', NAME)}({', '.join(map(json.dumps, arguments))})"
