// Embeddings as points with labels, along their two principal components.
import {element, percent, spoken, visible} from "./dom.js";

const WIDE = 640, HIGH = 420, EDGE = 28;

export function scatter({name, shares, points, n}) {
  const place = (axis, size) => {
    const values = points.map((point) => point[axis]);
    const least = Math.min(...values);
    const range = Math.max(...values) - least || 1;
    return (value) => EDGE + (value - least) / range * (size - 2 * EDGE);
  };
  const x = place(1, WIDE), y = place(2, HIGH);
  const labels = points.map(([symbol, first, second]) =>
    element("text", {x: x(first), y: HIGH - y(second), class: "point"}, visible(symbol)));
  const about = `${name}: ${n} symbols along two principal components, ${percent(shares[0])} and ${percent(shares[1])} of the variance`;
  const rows = points.map(([symbol, ...values]) => element("tr", {}, element("th", {scope: "row"}, spoken(symbol)),
    ...values.map((value) => element("td", {}, value.toFixed(2)))));
  const head = element("tr", {}, ...["symbol", "first", "second"].map((text) => element("th", {scope: "col"}, text)));
  return element("figure", {},
    element("svg", {viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": about, class: "chart"}, ...labels),
    element("figcaption", {}, about), element("details", {}, element("summary", {}, "Show numbers"),
      element("div", {class: "scroll", tabindex: 0, role: "group", "aria-label": name}, element("table", {class: "numbers"}, element("thead", {}, head), element("tbody", {}, ...rows)))));
}
