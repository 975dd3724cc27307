// Why a source is unlike those of training, as far as a page can tell: see `seq2seq/exporting/marks.py`.

const spread = (least, most) => least === most ? `${least}` : `${least} to ${most}`;

function outOfRange(count, [least, most], what, longer) {
  if (least <= count && (count <= most || longer)) return null;
  return `has ${count} ${what}${count === 1 ? "" : "s"}; trained on ${spread(least, most)}`;
}

// Whether each parenthesis has its other half, and there are two terms or more between them.
function isPaired(text) {
  let level = 0;
  for (const character of text) {
    level += (character === "(") - (character === ")");
    if (level < 0) return false;
  }
  return level === 0 && !/\(-?[0-9]+\)/.test(text);
}

const UNPAIRED = ": each parenthesis needs its other half, and two terms or more between them";

// What is wrong with the form of an expression, or null.
export function misshapen(text, {form, otherwise}) {
  if (!new RegExp(`^(?:${form})$`).test(text)) return `'${text}'${otherwise}`;
  return isPaired(text) ? null : `'${text}'${UNPAIRED}`;
}

function expression(text, {terms, operands: [least, most], mixed}) {
  const numbers = text.match(/[0-9]+/g) ?? [];
  const reason = outOfRange(numbers.length, terms, "term", false);
  if (reason) return reason;
  const strange = numbers.find((number) => number.length > String(most).length || Number(number) < least || Number(number) > most);
  if (strange !== undefined) return `has the number ${strange}; trained on ${spread(least, most)}`;
  if (!mixed && new Set(text.match(/(?<=[0-9)])[^0-9()]/g)).size > 1) return "mixes operators; trained on one in each expression";
  if (hasNeedless(text)) return "has parentheses around all of it, or around others alone; trained on none such";
  return null;
}

function hasNeedless(text) {
  const opened = [], groups = new Set();
  [...text].forEach((character, place) => {
    if (character === "(") opened.push(place);
    else if (character === ")") groups.add(`${opened.pop()} ${place}`);
  });
  return groups.has(`0 ${text.length - 1}`) || [...groups].map((group) => group.split(" ").map(Number))
    .some(([begin, end]) => groups.has(`${begin + 1} ${end - 1}`));
}

// The reason that one task gives, or null.
function reasonOf(symbols, task, longer) {
  if (task.kind === "expressions") {
    const text = symbols.join("");
    return task.steps.includes(text) ? null : misshapen(text, task) ?? expression(text, task);
  }
  const strange = symbols.find((symbol) => !task.symbols.includes(symbol));
  if (strange !== undefined) return `has '${strange}', which no source that was trained on has`;
  return outOfRange(symbols.length, task.lengths, "symbol", longer);
}

// The reason of the first task that reads such a source and has some as long, or else of that with the longest.
function alone(symbols, tasks, longer) {
  const reasons = tasks.map((task) => reasonOf(symbols, task, longer));
  if (reasons.includes(null)) return null;
  const lengths = tasks.map((task) => reads(symbols, task) ? task.source_length ?? Infinity : -1);
  const enough = Math.min(symbols.length, Math.max(0, ...lengths));
  return reasons[Math.max(0, lengths.findIndex((length) => length >= enough))];
}

const reads = (symbols, task) => task.form === undefined || !misshapen(symbols.join(""), task);

// `calls` are the questions of a run that works in steps; if these are all like training, so is the source.
export function unlike(symbols, calls, {tasks, longer}) {
  const reason = alone(symbols, tasks, longer);
  if (!reason || !calls.length || !longer || calls[0] === symbols.join("")) return reason;
  for (const call of calls) {
    const why = alone([...call], tasks, false);
    if (why) return `leads to '${call}', which ${why}`;
  }
  return null;
}
