// Ask a run, or two side by side, and see how the answer comes about.
import * as engine from "./engine.js";
import {debounced, element, percent, selected, spoken, visible} from "./dom.js";
import {heatmap} from "./heatmap.js";
import {scatter} from "./scatter.js";

const MOST_EXPECTED = 200; // characters

export async function askView({view, runs, state, remember, go, complain, signal}) {
  const names = runs.map((run) => run.name);
  const chosen = names.includes(state().run) ? state().run : names[0];
  const other = names.includes(state().with) && state().with !== chosen ? state().with : "";
  const shown = [chosen, other].filter(Boolean);
  const about = await Promise.all(shown.map(engine.describe));
  if (signal.aborted) return;

  const writes = about[0].can.continue;
  const source = state().source ?? about[0].example;
  const field = element(writes ? "textarea" : "input", {id: "source", autocomplete: "off", autocapitalize: "off",
    spellcheck: "false", rows: writes ? 3 : null, maxlength: 4000});
  field.value = source;
  const label = element("label", {for: "source"}, writes ? "A beginning" : "A source");
  const choices = element("div", {class: "choices"},
    selected("Run", names.map((name) => [name, name]), chosen, (run) => go({run, source: ""})),
    names.length > 1 && selected("Compare with", [["", "nothing"],
      ...names.filter((name) => name !== chosen).map((name) => [name, name])], other, (run) => go({with: run})) || null);
  const panels = shown.map((name, each) => (about[each].can.continue ? writer : answerer)(name, about[each], complain, signal));
  const columns = element("div", {class: shown.length > 1 ? "pair" : ""}, ...panels.map((panel) => panel.element));
  view.replaceChildren(choices, element("div", {class: "source"}, label, field), columns);

  function changed() {
    remember({run: chosen, source: field.value});
    for (const panel of panels) panel.ask(field.value);
  }
  field.addEventListener("input", changed);
  for (const panel of panels) panel.ask(field.value);
  field.focus({preventScroll: true});
  field.setSelectionRange(field.value.length, field.value.length);
}

function panel(name, about, ...parts) {
  const words = [about.model, about.engine === "onnx" ? "ONNX Runtime" : null].filter(Boolean).join(", ");
  return element("section", {class: "panel", "aria-label": name},
    element("header", {}, element("h2", {}, name), element("p", {class: "small", title: about.options}, words)), ...parts);
}

function sure(answer, word = " sure") {
  if (answer.confidence == null) return element("span", {class: "small"}, answer.value == null ? "" : `value ${answer.value.toFixed(3)}`);
  const meter = element("meter", {min: 0, max: 1, value: answer.confidence, "aria-label": "confidence"});
  return element("span", {class: "sure"}, meter, ` ${percent(answer.confidence)}${word}`);
}

// A run that answers sources.
function answerer(name, about, complain, left) {
  const answer = element("p", {class: "answer", role: "status"});
  const mark = element("p", {class: "warning", hidden: true});
  const steps = element("ol", {class: "steps"});
  const working = element("section", {hidden: true}, element("h3", {}, "Working"), steps);
  const found = element("ol", {class: "best"});
  const most = about.most_best;
  const number = element("input", {type: "number", min: 1, max: most, value: Math.min(5, most), id: `n-${name}`,
    onchange: () => later(source)});
  const others = element("section", {hidden: !about.can.best}, element("h3", {}, "Most probable answers"), found,
    element("label", {class: "small", for: `n-${name}`}, "How many ", number));
  const calls = element("div");
  const inside = element("section", {hidden: !about.can.explain}, element("h3", {}, "How it came about"), calls);
  let source = "";

  const first = debounced(120, async (signal, asked) => {
    const reply = await engine.ask(name, asked, signal);
    complain(null);
    mark.hidden = !reply.unlike_training;
    mark.textContent = reply.unlike_training ? `⚠ Unlike training: it ${reply.unlike_training}. Do not rely on this answer.` : "";
    answer.classList.toggle("error", Boolean(reply.error));
    if (reply.error) answer.replaceChildren(reply.error);
    else answer.replaceChildren(element("output", {}, reply.text || "(nothing)"), sure(reply));
    inside.hidden = !about.can.explain || Boolean(reply.error);
    others.hidden = !about.can.best || Boolean(reply.error);
    working.hidden = !reply.steps;
    steps.replaceChildren(...(reply.steps ?? []).map((step) => element("li", {}, element("code", {}, step))));
  }, (error) => {
    answer.replaceChildren();
    for (const part of [mark, working, others, inside]) part.hidden = true;
    complain(error);
  });
  const more = debounced(350, async (signal, asked) => {
    const n = Math.max(1, Math.min(most, Number(number.value) || 1));
    const [reply, why] = await Promise.all([
      about.can.best ? engine.best(name, asked, n, signal) : {},
      about.can.explain ? engine.explain(name, asked, signal) : {},
    ]);
    found.replaceChildren(...(reply.answers ?? []).map((each) => element("li", {}, element("code", {}, each.text), sure(each, ""))));
    if (why.error) calls.replaceChildren(element("p", {class: "small"}, why.error));
    else if (why.lines) calls.replaceChildren(element("pre", {tabindex: 0}, why.lines.join("\n")));
    else calls.replaceChildren(...(why.calls ?? []).map(heatmap));
  }, complain);
  function later(asked) {
    source = asked;
    if (about.can.best || about.can.explain) more(asked);
  }
  const parts = [answer, mark, working, inside, others, about.note && element("p", {class: "small"}, about.note)];
  if (about.can.embeddings) parts.push(learned(name, complain, left));
  return {element: panel(name, about, ...parts), ask: (asked) => { first(asked); later(asked); }};
}

// A run that continues a text.
function writer(name, about, complain, left) {
  const options = {temperature: [0.8, 0, 2, 0.1], top_k: [0, 0, 1000, 1], characters: [300, 1, 2000, 1], seed: [0, 0, 1e9, 1]};
  const labels = {temperature: "Temperature", top_k: "Top-k (0: all)", characters: "Characters", seed: "Seed"};
  const fields = Object.fromEntries(Object.entries(options).map(([key, [value, min, max, step]]) =>
    [key, element("input", {type: "number", value, min, max, step})]));
  const beginning = element("span", {class: "given"});
  const written = element("span");
  const says = element("p", {class: "small", role: "status"});
  const begin = element("button", {type: "button", class: "main", onclick: start}, "Write on");
  const stop = element("button", {type: "button", hidden: true, onclick: () => writing?.abort()}, "Stop");
  const next = element("p", {class: "next"});
  const strip = element("ol", {class: "strip", tabindex: 0, "aria-label": "What was expected at each character"});
  let source = "", writing;
  left.addEventListener("abort", () => writing?.abort());

  const look = debounced(200, async (signal, asked) => {
    const end = [...asked].slice(-MOST_EXPECTED);
    const reply = await engine.expect(name, end.join(""), signal);
    complain(null);
    strip.replaceChildren();
    if (reply.error) return next.replaceChildren(reply.error);
    const last = reply.expected.at(-1);
    next.replaceChildren("Next it expects ", element("b", {}, visible(last.text)), ` (${percent(last.confidence)})`);
    const skipped = end.length - reply.expected.length + 1;
    strip.append(...reply.expected.slice(0, -1).map((each, place) => {
      const came = end[place + skipped];
      const right = came === each.text;
      const said = `${spoken(came)}: ${right ? "as expected" : `expected ${spoken(each.text)}`}, ${percent(each.confidence)}`;
      return element("li", {class: right ? "right" : "wrong", title: said}, visible(came), element("span", {class: "hidden"}, ` ${said}. `));
    }));
  }, complain);

  async function start() {
    writing?.abort();
    const mine = writing = new AbortController();
    stop.hidden = false;
    written.textContent = "";
    beginning.textContent = source;
    says.textContent = "Writing …";
    const body = {source, ...Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, Number(field.value)]))};
    try {
      for await (const piece of engine.continued(name, body, mine.signal)) written.append(piece);
      says.textContent = "Done.";
    } catch (error) {
      if (mine === writing) says.textContent = mine.signal.aborted ? "Stopped." : error.message;
    }
    if (mine === writing) stop.hidden = true;
  }

  const parts = [next, strip,
    element("div", {class: "choices"}, ...Object.entries(fields).map(([key, field]) => element("label", {}, element("span", {}, labels[key]), field))),
    element("p", {class: "buttons"}, begin, stop), element("pre", {class: "written", tabindex: 0, role: "region", "aria-label": "The text"}, beginning, written), says];
  if (about.can.embeddings) parts.push(learned(name, complain, left));
  return {element: panel(name, about, ...parts), ask: (asked) => { source = asked; look(asked); }};
}

// The embeddings, which are computed when they are looked at.
function learned(name, complain, left) {
  const inside = element("div", {}, element("p", {class: "small"}, "Loading …"));
  let loaded = false;
  async function load(event) {
    if (!event.target.open || loaded) return;
    loaded = true;
    try {
      const {embeddings} = await engine.embeddings(name);
      if (left.aborted) return;
      inside.replaceChildren(...embeddings.map(scatter));
      if (!embeddings.length) inside.textContent = "This model has none.";
    } catch (error) {
      loaded = false;
      complain(error);
    }
  }
  return element("details", {ontoggle: load}, element("summary", {}, "Embeddings"), inside);
}
