// Watch trainings: their curves over each other, their samples, and the time left.
import * as engine from "./engine.js";
import {element} from "./dom.js";
import {chart, MARKS} from "./curves.js";

const EVERY = 2000; // milliseconds
const TITLES = {train_loss: "Training loss", validation_loss: "Validation loss", validation_exact_match: "Validation exact match",
  learning_rate: "Learning rate", samples_per_second: "Examples a second"};
const FIRST = ["validation_exact_match", "validation_loss", "train_loss"];
const NOTHING = "an export, which has no curves and no samples: its run folder has them";
const AXES = new Set(["epoch", "step", "seconds"]);

const duration = (seconds) => seconds >= 3600 ? `${Math.floor(seconds / 3600)} h ${Math.round(seconds % 3600 / 60)} min`
  : seconds >= 60 ? `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s` : `${Math.round(seconds)} s`;

function progress({rows, epochs, live, seconds_left: left, within_epoch: within}) {
  const done = rows.at(-1)?.epoch ?? 0;
  if (!live) return done < epochs ? `stopped at epoch ${done} of ${epochs}` : `trained for ${done} epochs`;
  const loss = within?.loss == null ? "" : `, loss ${within.loss.toFixed(4)}`;
  const at = within ? `${Math.floor(100 * within.examples / within.examples_per_epoch)}% of epoch ${within.epoch}` : `epoch ${done}`;
  return `training: ${at} of ${epochs}${loss}` + (left == null ? "" : `, about ${duration(left)} left`);
}

export async function watchView({view, runs, state, remember, complain, signal}) {
  const names = runs.map((run) => run.name);
  const wanted = (state().runs ?? "").split("\n").filter((name) => names.includes(name));
  const live = runs.filter((run) => run.live).map((run) => run.name);
  const chosen = new Set(wanted.length ? wanted : [names.includes(state().run) ? state().run : live[0] ?? names[0]]);
  const exports = new Set(runs.filter((run) => run.export).map((run) => run.name));
  const known = new Map(), lines = new Map(), shown = new Map();
  const charts = element("div", {class: "charts"});
  const samples = element("div", {class: "samples"});
  const says = new Map(names.map((name) => [name, element("span", {class: "small"})]));
  const boxes = names.map((name, number) => element("li", {}, element("label", {},
    element("input", {type: "checkbox", checked: chosen.has(name), onchange: (event) => choose(name, event.target.checked)}),
    element("span", {class: `key line-${number % 6}`, "aria-hidden": "true"}, MARKS[number % 6]), element("b", {}, name)), says.get(name)));
  view.replaceChildren(element("fieldset", {}, element("legend", {}, "Runs"), element("ul", {class: "runs"}, ...boxes)), charts,
    element("section", {}, element("h2", {}, "Samples"),
      element("p", {class: "small"}, "What the weights of the last epoch answer to validation examples."), samples));

  function choose(name, on) {
    if (on) chosen.add(name);
    else chosen.delete(name);
    remember({runs: [...chosen].join("\n")});
    update(true).catch(complain);
  }

  function draw() {
    const series = names.map((name, number) => ({name, number, rows: known.get(name)?.rows ?? []})).filter(({name}) => chosen.has(name));
    const columns = new Set(series.flatMap(({rows}) => rows.flatMap((row) => Object.keys(row))));
    const ordered = [...FIRST, ...[...columns].filter((column) => !FIRST.includes(column) && !AXES.has(column))];
    const figures = ordered.map((column) => chart(column, TITLES[column] ?? column.replaceAll("_", " "), series));
    const open = new Set([...charts.querySelectorAll("details[open]")].map((each) => each.parentElement.dataset.title));
    charts.replaceChildren(...figures.filter(Boolean));
    for (const figure of charts.children) {
      figure.dataset.title = figure.querySelector("h3").textContent;
      figure.querySelector("details").open = open.has(figure.dataset.title);
    }
    if (!charts.children.length) charts.append(element("p", {}, chosen.size ? "No epoch has ended yet." : "Choose a run."));
  }

  async function show(name, epoch) {
    if (shown.get(name) === epoch || !epoch) return;
    shown.set(name, epoch);
    try {
      lines.set(name, (await engine.samples(name)).lines);
    } catch (error) {
      lines.set(name, [error.message]);
    }
    if (signal.aborted) return;
    samples.replaceChildren(...names.filter((each) => chosen.has(each) && lines.has(each)).map((each) => element("section", {},
      element("h3", {}, each), element("ul", {}, ...lines.get(each).map((line) =>
        element("li", {class: line.endsWith("✓") ? "right" : line.includes("✗") ? "wrong" : ""}, line))))));
  }

  async function update(redraw) {
    const changed = await Promise.all([...chosen].map(async (name) => {
      const values = await engine.metrics(name);
      const before = known.get(name);
      known.set(name, values);
      says.get(name).textContent = ` ${exports.has(name) ? NOTHING : progress(values)}`;
      return before?.rows.length !== values.rows.length || before?.live !== values.live;
    }));
    if (signal.aborted) return;
    if (redraw || changed.some(Boolean)) draw();
    for (const name of [...lines.keys()]) if (!chosen.has(name)) { lines.delete(name); shown.delete(name); }
    samples.replaceChildren(...[...samples.children].filter((part) => chosen.has(part.firstChild.textContent)));
    for (const name of chosen) show(name, known.get(name).rows.at(-1)?.epoch);
  }

  await update(true);
  const timer = setInterval(() => update(false).then(() => complain(null), complain), EVERY);
  signal.addEventListener("abort", () => clearInterval(timer));
}
