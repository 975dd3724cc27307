// How a run that works in steps gets an answer from several: the rule `head` of an export, see `Arithmetic.working`.

// Where the terms end, but for the last.
function ends(text, rule) {
  const found = [];
  let level = 0;
  for (let place = 0; place < text.length; place++) {
    level += (text[place] === "(") - (text[place] === ")");
    if (level === 0 && place > 0 && rule.operators.includes(text[place])) found.push(place);
  }
  return found;
}

// Whether a term is larger than the numbers that are drawn, and so the result of a step.
function isResult(term, {largest}) {
  const digits = term.replace(/^-+/, "");
  return digits.length > largest.length || (digits.length === largest.length && digits > largest);
}

// Where the head begins and ends, which is asked next.
export function head(text, rule) {
  const stops = [...ends(text, rule), text.length];
  const last = (found, most) => found[Math.min(most, found.length) - 1];
  if (rule.by_digit) return [0, stops.slice(rule.terms - 1).find((stop) => text[stop] !== "*") ?? text.length];
  if (rule.parentheses || stops.length < 3) return [0, last(stops, rule.terms)];
  const starts = [0, ...stops.map((stop) => stop + 1)];
  const large = stops.map((stop, term) => isResult(text.slice(starts[term], stop), rule));
  const waits = "+-".includes(text[stops[0]]) && "*/%".includes(text[stops[1]]); // the first term, for a product
  const first = Number(large.slice(0, 3).some(Boolean) && waits);
  const after = stops.slice(first);
  const two = large.slice(first, first + 2).some(Boolean)
    && !(after.length > 2 && "+-".includes(text[after[0]]) && "*/%".includes(text[after[1]]));
  return [starts[first], last(after, two ? 2 : rule.terms)];
}

// The answer to a source, and the steps as people write them. `ask` gives the answer to a question, or null to one that
// is too long to be read: the first of all has to be answered.
export async function worked(source, rule, ask) {
  const steps = [];
  let left = source;
  for (let round = 0; round < 2 * source.length; round++) {
    const [start, stop] = head(left, rule);
    const answer = await ask(left.slice(start, stop), round === 0);
    if (answer === null) break;
    const before = left;
    left = left.slice(0, start) + answer + left.slice(stop);
    if (left !== before || !steps.length) steps.push(left);
    if (left === "" || left === before || /^-?[0-9]+$/.test(left)) break;
  }
  return {answer: left, steps};
}
