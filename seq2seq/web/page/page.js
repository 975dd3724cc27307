// The page: its views, and the address that says what is shown.
import * as engine from "./engine.js";
import {element} from "./dom.js";
import {askView} from "./ask.js";
import {watchView} from "./watch.js";
import {evaluateView} from "./evaluate.js";

const VIEWS = Object.fromEntries(Object.entries(
  {ask: ["Ask", askView], watch: ["Watch", watchView], evaluate: ["Evaluate", evaluateView]},
).filter(([name]) => engine.views.includes(name)));
const view = document.getElementById("view");
const problem = document.getElementById("problem");
const waiting = document.getElementById("waiting");
let leave = () => {};

// What is shown, such as #view=ask&run=NAME&source=1%2B2; the names of runs, and never their paths.
export const state = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

function remember(changes) {
  const next = new URLSearchParams({...state(), ...changes});
  for (const [name, value] of [...next]) if (!value) next.delete(name);
  history.replaceState(null, "", `#${next}`);
  links();
}

function go(changes) {
  remember(changes);
  show();
}

function links() {
  const {view: chosen = "ask", run} = state();
  const made = Object.entries(VIEWS).map(([name, [label]]) => {
    const address = `#${new URLSearchParams(run ? {view: name, run} : {view: name})}`;
    return element("a", {href: address, "aria-current": name === chosen ? "page" : null}, label);
  });
  document.getElementById("views").replaceChildren(...made);
}

// Show an error, or with null none any more.
function complain(error) {
  if (error?.name === "AbortError") return;
  problem.hidden = !error;
  if (error) problem.textContent = error instanceof TypeError ? "The server does not answer. Is it still running?" : error.message;
}

async function show() {
  leave();
  links();
  problem.hidden = true;
  const chosen = state().view in VIEWS ? state().view : "ask";
  const [label, draw] = VIEWS[chosen];
  document.getElementById("title").textContent = label;
  document.title = `${label} · seq2seq`;
  const leaving = new AbortController();
  leave = () => leaving.abort();
  view.replaceChildren(element("p", {class: "small"}, "Loading …"));
  try {
    const runs = await engine.runs();
    if (leaving.signal.aborted) return;
    const good = runs.filter((run) => !run.problem);
    if (!good.length) {
      const why = runs.length ? runs[0].problem : "There is no run yet.";
      view.replaceChildren(element("p", {}, why, " ", element("code", {}, "seq2seq train"), " trains one."));
      return;
    }
    await draw({view, runs: good, state, remember, go, complain, signal: leaving.signal});
  } catch (error) {
    if (!leaving.signal.aborted) complain(error);
  }
}

engine.whenWaiting((line) => {
  waiting.textContent = line;
  waiting.hidden = !line;
});
addEventListener("hashchange", show);
addEventListener("unhandledrejection", (event) => complain(event.reason));
show();
