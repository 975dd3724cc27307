// Elements. Whatever comes from a run is text, and never markup.

export function element(tag, attributes = {}, ...children) {
  const made = tag === "svg" || SHAPES.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = new Set(["g", "path", "line", "circle", "text", "polyline"]);

export const percent = (value) => value == null ? "–" : `${(100 * value).toFixed(value >= 0.9995 || value < 0.0005 ? 0 : 1)} %`;

// A symbol as a person can see it.
export const visible = (symbol) => ({" ": "␣", "\n": "↵", "\t": "⇥"})[symbol] ?? symbol;

export const spoken = (symbol) => ({" ": "space", "\n": "line break", "<end>": "end", "<pad>": "blank"})[symbol] ?? symbol;

export function selected(label, values, chosen, change) {
  const options = values.map(([value, text]) => element("option", {value, selected: value === chosen}, text));
  const select = element("select", {onchange: (event) => change(event.target.value)}, ...options);
  return element("label", {}, element("span", {}, label), select);
}

// The call, after nothing new was asked for some time; an earlier call that still waits for its answer is given up.
// `failed` is called with an error.
export function debounced(milliseconds, call, failed) {
  let timer, controller;
  return (...given) => {
    clearTimeout(timer);
    controller?.abort();
    controller = new AbortController();
    const {signal} = controller;
    timer = setTimeout(() => call(signal, ...given).catch((error) => {
      if (!signal.aborted) failed(error);
    }), milliseconds);
  };
}
