// The last evaluation of a run: its scores, and its worst mistakes.
import * as engine from "./engine.js";
import {element, percent, selected} from "./dom.js";

const word = (name) => name.replaceAll("_", " ");
const number = (value) => Number.isInteger(value) ? String(value) : value.toPrecision(4);

export async function evaluateView({view, runs, state, go, signal}) {
  const names = runs.map((run) => run.name);
  const chosen = names.includes(state().run) ? state().run : names[0];
  const {evaluation} = await engine.evaluation(chosen);
  if (signal.aborted) return;
  const choices = element("div", {class: "choices"},
    selected("Run", names.map((name) => [name, name]), chosen, (run) => go({run, source: ""})));
  if (!evaluation) {
    view.replaceChildren(choices, element("p", {}, "This run has not been evaluated. ",
      element("code", {}, `seq2seq evaluate --run ${chosen}`), " does it; then reload this page."));
    return;
  }
  const groups = Object.entries(evaluation).filter(([name, value]) => name.startsWith("by_") && value && typeof value === "object");
  view.replaceChildren(choices, scores(evaluation),
    element("div", {class: "charts"}, ...groups.map(([name, parts]) => bars(word(name.slice(3)), parts))), mistakes(evaluation.mistakes, chosen));
}

function scores(evaluation) {
  const parts = [["held_out", "Held out"], ["train_distribution", "Trained on"]].filter(([name]) => evaluation[name]);
  const values = [...new Set(parts.flatMap(([name]) => Object.keys(evaluation[name])))]
    .filter((value) => parts.some(([name]) => typeof evaluation[name][value] === "number"));
  const head = element("tr", {}, element("td"), ...parts.map(([, label]) => element("th", {scope: "col"}, label)));
  const rows = values.map((value) => element("tr", {}, element("th", {scope: "row"}, value === "n" ? "examples" : word(value)),
    ...parts.map(([name]) => element("td", {}, shown(value, evaluation[name][value])))));
  return element("div", {class: "scroll", tabindex: 0, role: "group", "aria-label": "Scores"},
    element("table", {class: "numbers"}, element("caption", {}, "Scores"), element("thead", {}, head), element("tbody", {}, ...rows)));
}

function shown(name, value) {
  if (typeof value !== "number") return "–";
  return ["exact_match", "character_accuracy", "accuracy", "overlap"].includes(name) ? percent(value) : number(value);
}

function bars(title, parts) {
  const rows = Object.entries(parts).filter(([, score]) => typeof score?.exact_match === "number").map(([label, score]) => {
    const bar = element("span", {class: "bar"});
    bar.style.setProperty("--part", score.exact_match);
    return element("tr", {}, element("th", {scope: "row"}, label), element("td", {class: "wide"}, bar),
      element("td", {}, percent(score.exact_match)), element("td", {class: "small"}, `of ${score.n}`));
  });
  return element("table", {class: "bars"}, element("caption", {}, `Exact match by ${title}`), element("tbody", {}, ...rows));
}

function mistakes(found, run) {
  const section = element("section", {}, element("h2", {}, "Worst mistakes"));
  if (!Array.isArray(found) || !found.length) {
    section.append(element("p", {}, found ? "None: every held-out answer was right." : "This kind of run lists none."));
    return section;
  }
  const head = element("tr", {}, ...["source", "answer", "right", "sure"].map((text) => element("th", {scope: "col"}, text)));
  const rows = found.map(({source, answer, target, confidence}) => {
    const address = `#${new URLSearchParams({view: "ask", run, source})}`;
    return element("tr", {}, element("td", {}, element("a", {href: address}, source)), element("td", {class: "wrong"}, answer),
      element("td", {}, target), element("td", {}, percent(confidence)));
  });
  section.append(element("p", {class: "small"}, "Held-out answers that were wrong, the most confident first. Open one to see where the model looked."),
    element("div", {class: "scroll", tabindex: 0, role: "group", "aria-label": "Worst mistakes"},
      element("table", {class: "numbers mistakes"}, element("thead", {}, head), element("tbody", {}, ...rows))));
  return section;
}
