// Lines of several runs over their epochs, with their numbers in a table.
import {element} from "./dom.js";

const WIDE = 640, HIGH = 260, LEFT = 60, RIGHT = 12, TOP = 10, LOW = 30;
export const MARKS = ["●", "■", "▲", "◆", "▼", "★"];
const DASHES = ["", "7 4", "2 3", "9 3 2 3", "4 2", "1 4"];

const short = (value) => value == null ? "" : Math.abs(value) >= 100 || Number.isInteger(value) ? value.toFixed(0) : String(Number(value.toPrecision(3)));

function ticks(least, most) {
  const rough = (most - least) / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
  const first = Math.ceil(least / step - 1e-9) * step;
  return Array.from({length: 7}, (_, each) => first + each * step).filter((value) => value <= most + step * 1e-9);
}

// A chart of one column: `series` has for each run its name, its number in the list of runs, and its rows.
export function chart(column, title, series) {
  const lines = series.map(({name, number, rows}) =>
    ({name, number, points: rows.filter((row) => row[column] != null).map((row) => [row.epoch, row[column]])}))
    .filter(({points}) => points.length);
  if (!lines.length) return null;
  const all = lines.flatMap(({points}) => points);
  const last = Math.max(2, ...all.map(([epoch]) => epoch));
  const values = all.map(([, value]) => value);
  const share = values.every((value) => value >= 0 && value <= 1);
  const least = Math.min(0, ...values);
  const most = share && column.includes("match") ? 1 : Math.max(...values) || 1;
  const x = (epoch) => LEFT + (epoch - 1) / (last - 1) * (WIDE - LEFT - RIGHT);
  const y = (value) => HIGH - LOW - (value - least) / (most - least || 1) * (HIGH - LOW - TOP);
  const grid = ticks(least, most).flatMap((value) => [
    element("line", {x1: LEFT, x2: WIDE - RIGHT, y1: y(value), y2: y(value), class: "grid"}),
    element("text", {x: LEFT - 8, y: y(value) + 4, class: "tick end"}, short(value))]);
  const epochs = ticks(1, last).filter(Number.isInteger).map((value) =>
    element("text", {x: x(value), y: HIGH - 8, class: "tick middle"}, String(value)));
  const drawn = lines.flatMap(({number, points}) => {
    const [epoch, value] = points.at(-1);
    return [element("polyline", {points: points.map((point) => `${x(point[0])},${y(point[1])}`).join(" "),
      class: `curve line-${number % 6}`, "stroke-dasharray": DASHES[number % 6]}),
    element("circle", {cx: x(epoch), cy: y(value), r: 3.5, class: `dot line-${number % 6}`})];
  });
  const now = lines.map(({name, number, points}) => element("li", {}, element("span", {class: `key line-${number % 6}`, "aria-hidden": "true"}, MARKS[number % 6]),
    `${name}: `, element("b", {}, short(points.at(-1)[1]))));
  const at = element("p", {class: "small at"});
  const cursor = element("line", {y1: TOP, y2: HIGH - LOW, class: "cursor", visibility: "hidden"});
  const svg = element("svg", {viewBox: `0 0 ${WIDE} ${HIGH}`, class: "chart", role: "img", "aria-label": `${title} by epoch`,
    onpointermove: point, onpointerleave: () => cursor.setAttribute("visibility", "hidden")}, ...grid, ...epochs, ...drawn, cursor);
  function point(event) {
    const box = svg.getBoundingClientRect();
    const part = ((event.clientX - box.left) / box.width * WIDE - LEFT) / (WIDE - LEFT - RIGHT);
    const epoch = Math.max(1, Math.min(last, Math.round(1 + part * (last - 1))));
    cursor.setAttribute("x1", x(epoch));
    cursor.setAttribute("x2", x(epoch));
    cursor.setAttribute("visibility", "visible");
    at.textContent = `epoch ${epoch} — ` + lines.map(({name, points}) =>
      `${name}: ${short(points.find((each) => each[0] === epoch)?.[1]) || "–"}`).join(", ");
  }
  return element("figure", {}, element("figcaption", {}, element("h3", {}, title), element("ul", {class: "legend"}, ...now)),
    svg, at, numbers(title, lines, last));
}

function numbers(title, lines, last) {
  const details = element("details", {}, element("summary", {}, "Show numbers"));
  details.addEventListener("toggle", () => { // made when it is looked at
    if (!details.open || details.children.length > 1) return;
    const head = element("tr", {}, ...["epoch", ...lines.map(({name}) => name)].map((text) => element("th", {scope: "col"}, text)));
    const rows = Array.from({length: last}, (_, each) => element("tr", {}, element("th", {scope: "row"}, String(each + 1)),
      ...lines.map(({points}) => element("td", {}, short(points.find(([epoch]) => epoch === each + 1)?.[1])))));
    details.append(element("div", {class: "scroll", tabindex: 0, role: "group", "aria-label": title},
      element("table", {class: "numbers"}, element("thead", {}, head), element("tbody", {}, ...rows))));
  });
  return details;
}
