// One call of a model: what it wrote at each step, how sure it was, and where it looked.
import {element, percent, spoken, visible} from "./dom.js";

// Points of the colour map cividis, which people with any colour vision see as from dark to light.
const CIVIDIS = [[0, 32, 77], [0, 56, 112], [65, 77, 107], [99, 99, 110], [124, 123, 120], [155, 148, 118],
  [187, 175, 107], [222, 203, 90], [255, 234, 70]];

function colour(value) {
  const place = Math.min(0.9999, Math.max(0, value)) * (CIVIDIS.length - 1);
  const below = Math.floor(place);
  return CIVIDIS[below].map((part, each) => Math.round(part + (place - below) * (CIVIDIS[below + 1][each] - part)));
}

const luminance = (rgb) => rgb.map((part) => part / 255)
  .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
  .reduce((sum, part, each) => sum + part * [0.2126, 0.7152, 0.0722][each], 0);

function paint(cell, value) {
  const rgb = colour(value);
  cell.style.setProperty("background-color", `rgb(${rgb})`);
  cell.style.setProperty("color", luminance(rgb) > 0.179 ? "#000" : "#fff"); // either has a contrast of 4.5 and more
}

function alternatives(step) {
  const rows = step.likely.map(([symbol, probability]) => {
    const bar = element("span", {class: "bar"});
    bar.style.setProperty("--part", probability);
    return element("li", {class: symbol === step.symbol ? "chosen" : ""},
      element("b", {}, visible(symbol)), bar, element("span", {class: "number"}, percent(probability)));
  });
  return element("ol", {class: "likely"}, ...rows);
}

const told = (step) => `${spoken(step.symbol)}, ${percent(step.probability)}; then ` +
  step.likely.filter(([symbol]) => symbol !== step.symbol).slice(0, 2)
    .map(([symbol, probability]) => `${spoken(symbol)} ${percent(probability)}`).join(", ");

// A table of which one cell is in the order of the tab key; arrows move from there.
export function heatmap(call) {
  const live = element("p", {class: "hidden", "aria-live": "polite"});
  const detail = element("div", {class: "detail"});
  const weights = call.attention;
  const columns = weights ? call.read : [];
  const head = element("tr", {}, element("th", {scope: "col"}, "writes"), element("th", {scope: "col"}, "sure"),
    ...columns.map((symbol) => element("th", {scope: "col"}, visible(symbol))));
  const cells = [];
  const rows = call.steps.map((step, row) => {
    const first = element("td", {class: "sure", tabindex: "-1"}, percent(step.probability));
    const likely = Math.max(...step.likely.map(([, probability]) => probability));
    if (likely < 0.9) first.append(element("span", {class: "mark", title: "hesitates"}, " ?"));
    const looked = columns.map((symbol, column) => {
      const weight = weights[row][column];
      const cell = element("td", {tabindex: "-1", class: "weight"}, String(Math.round(100 * weight)));
      paint(cell, weight);
      return cell;
    });
    cells.push([first, ...looked]);
    return element("tr", {}, element("th", {scope: "row"}, visible(step.symbol)), first, ...looked);
  });

  let row = 0, column = 0;
  function show(nextRow, nextColumn, aloud) {
    cells[row][column].tabIndex = -1;
    rows[row].classList.remove("current");
    row = nextRow;
    column = nextColumn;
    rows[row].classList.add("current");
    cells[row][column].tabIndex = 0;
    const step = call.steps[row];
    detail.replaceChildren(element("h4", {}, `Step ${row + 1}: ${visible(step.symbol)}`), alternatives(step));
    if (!aloud) return;
    live.textContent = column === 0 ? `Step ${row + 1} writes ${told(step)}`
      : `${spoken(step.symbol)} looks at ${spoken(columns[column - 1])}: ${Math.round(100 * weights[row][column - 1])} %`;
  }

  function moved(event) {
    const [down, right] = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
      Home: [0, -column], End: [0, columns.length - column]}[event.key] ?? [0, 0];
    if (!down && !right && !["Home", "End"].includes(event.key)) return;
    event.preventDefault();
    show(Math.max(0, Math.min(cells.length - 1, row + down)), Math.max(0, Math.min(columns.length, column + right)), true);
    cells[row][column].focus();
  }

  function pointed(event, aloud) {
    const target = event.target.closest("td");
    const found = cells.findIndex((each) => each.includes(target));
    if (found >= 0) show(found, cells[found].indexOf(target), aloud);
  }

  const caption = `${call.source} → ${call.answer}`;
  const about = weights ? "how sure each step was, and where it looked, in percent" : "how sure each step was";
  const table = element("table", {class: "heat", onkeydown: moved, onpointerover: (event) => pointed(event, false),
    onfocusin: (event) => pointed(event, true)},
  element("caption", {}, element("code", {}, caption), element("span", {class: "hidden"}, `: ${about}. Arrow keys move.`)),
  element("thead", {}, head), element("tbody", {}, ...rows));
  if (cells.length) show(0, 0, false);
  return element("section", {class: "call"}, element("div", {class: "scroll"}, table), detail, live);
}
