// What answers on a static page: ONNX Runtime Web, in the browser, with the graph of an export. It has the functions of
// engine.js that need no server.
import * as ort from "../runtime/ort.wasm.bundle.min.mjs";
import {misshapen, unlike} from "./marks.js";
import {worked} from "./working.js";

export const views = ["ask"];

const MOST_CALLS = 40; // explained of one working
const MOST_OTHERS = 5; // symbols whose probabilities are shown, for each step
const MOST_STEPS = 1000; // of one working
const beside = (name) => new URL(`../${name}`, import.meta.url).href;
ort.env.wasm.numThreads = 1; // several would need headers that static hosts do not send
ort.env.wasm.wasmPaths = {wasm: beside("runtime/ort-wasm-simd-threaded.wasm")};

class SourceError extends Error {}

let tell = () => {};

// `show` is called with a line while the network is loaded, and with "" when it is there.
export function whenWaiting(show) {
  tell = show;
}

let last = Promise.resolve();

// The result of a call that is made once, unless it fails.
function once(call) {
  let result;
  return () => result ??= call().catch((error) => {
    result = undefined;
    throw error;
  });
}

const described = once(async () => {
  const reply = await fetch(beside("export.json"));
  if (!reply.ok) throw new Error("export.json is missing beside the page");
  return reply.json();
});

const open = once(async () => {
  tell("Loading the network …");
  try {
    const run = await described();
    const session = await ort.InferenceSession.create(beside("model.onnx"));
    return {run, session, ids: new Map(run.characters.map((symbol, id) => [symbol, id]))};
  } finally {
    tell("");
  }
});

// The graphs of a search, which say where each step looked.
const parts = once(() => Promise.all(["encoder.onnx", "decoder.onnx"].map((name) => ort.InferenceSession.create(beside(name)))));

// The result of a call that uses a session, of which there is one at a time.
function inTurn(call) {
  const result = last.then(call);
  last = result.catch(() => {});
  return result;
}

export const runs = async () => {
  const run = await described();
  return [{name: run.page.name, task: run.task, kind: run.application, model: run.model, live: false, export: true}];
};

export async function describe() {
  const {run} = await open();
  const can = {steps: true, best: false, explain: true, continue: false, embeddings: false};
  return {example: run.page.example, engine: "onnx", model: run.model, most_best: 1, can,
    note: run.page.marks ? null : "This page does not mark sources that are unlike those of training: do not rely on answers to them."};
}

// The symbols of a source as the task would write it.
function read({run, ids}, source) {
  const {squeezed, form, turned} = run.page;
  let text = squeezed ? source.replaceAll(" ", "") : source;
  if (turned) text = turned === "upper" ? text.toUpperCase() : text.toLowerCase();
  if (!text.trim()) throw new SourceError("the source is empty");
  const symbols = split(run, text);
  const unknown = symbols.find((symbol) => symbol === "" || !ids.has(symbol));
  if (unknown !== undefined) {
    const known = run.characters.filter(Boolean).join(run.source_separator).slice(0, 100);
    throw new SourceError(`'${unknown}' is not among the ${run.source_separator ? "symbols" : "characters"} ${known}`);
  }
  const problem = form && misshapen(text, run.page);
  if (problem) throw new SourceError(problem);
  if (!run.rule) fits(run, symbols);
  return text;
}

const split = (run, text) => run.source_separator ? text.split(run.source_separator).filter(Boolean) : [...text];

function fits(run, symbols) {
  if (symbols.length <= run.source_length || run.any_length) return;
  throw new SourceError(`'${symbols.join(run.source_separator)}' has ${symbols.length} characters, but this run reads ${run.source_length}`);
}

// One call of the graph: the outputs for one question.
async function called({run, session, ids}, question, signal) {
  const symbols = split(run, question);
  const source = tensor(symbols.map((symbol) => ids.get(symbol)), [1, symbols.length]);
  const found = await inTurn(() => {
    signal?.throwIfAborted();
    return session.run({source});
  });
  const written = Array.from(found.ids.data, Number);
  const kept = written.filter((id) => id !== run.pad);
  const text = (run.reverse_target ? kept.reverse() : kept).map((id) => run.characters[id]).join(run.target_separator);
  const confidence = Math.exp(Math.min(0, found.score.data[0]));
  return {symbols, source, written, text, confidence, rows: found.log_probabilities.data};
}

const tensor = (ids, shape) => new ort.Tensor("int64", BigInt64Array.from(ids, BigInt), shape);

// Where each step looked, for each symbol of the source; null for a model without attention.
async function attention(run, {symbols, source, written}) {
  if (!run.page.searches) return null;
  const [encoder, decoder] = await parts();
  const {target_length: _, ...values} = await inTurn(() => encoder.run({source}));
  const weights = [];
  let previous = run.start;
  for (const id of written) {
    const found = await inTurn(() => decoder.run({previous: tensor([previous], [1]), ...values}));
    weights.push(Array.from(found.attention.data).slice(-symbols.length)); // sources are padded on the left
    for (const name of Object.keys(values)) values[name] = found[`${name}_after`] ?? values[name];
    previous = id;
  }
  return weights;
}

// The answer to a source, with its working and the calls on the way.
async function answered(source, signal) {
  const model = await open();
  const text = read(model, source);
  const {run} = model;
  const replies = new Map();
  if (!run.rule) {
    const reply = await called(model, text, signal);
    const steps = reply.text.split("=");
    return {text: run.page.final ? steps.at(-1) : reply.text, confidence: reply.confidence, steps, replies: [reply],
      unlike_training: marked(run, text, [])};
  }
  const calls = [];
  let confidence = 1;
  const {answer, steps} = await worked(text, run.rule, async (question, first) => {
    calls.push(question);
    if (question.length > run.source_length && !run.any_length) {
      if (first) fits(run, [...question]);
      return null;
    }
    if (replies.size > MOST_STEPS) throw new SourceError(`takes more than ${MOST_STEPS} steps`);
    const reply = replies.get(question) ?? await called(model, question, signal);
    replies.set(question, reply);
    confidence *= reply.confidence;
    return reply.text;
  });
  return {text: answer, confidence, steps, replies: [...replies.values()], unlike_training: marked(run, text, calls)};
}

const marked = (run, text, calls) => run.page.marks && unlike(split(run, text), calls, run.page.marks);

async function tried(source, call) {
  try {
    return {source, ...await call()};
  } catch (error) {
    if (error instanceof SourceError) return {source, error: error.message};
    throw error;
  }
}

export const ask = (name, source, signal) => tried(source, async () => {
  const {text, confidence, steps, unlike_training} = await answered(source, signal);
  return {text, confidence, unlike_training, ...steps.length > 1 ? {steps} : {}};
});

export const explain = (name, source, signal) => tried(source, async () => {
  const {run} = await open();
  const {replies} = await answered(source, signal);
  if (replies.length > MOST_CALLS) {
    throw new SourceError(`the working has ${replies.length} steps, and at most ${MOST_CALLS} are explained`);
  }
  return {calls: await Promise.all(replies.map(async (reply) => explained(run, reply, await attention(run, reply))))};
});

// Which places of what was written are an answer, and the padding that ends it: see `learned` in vocabulary.py.
function learned({padding}, {symbols, written}, pad) {
  const places = written.map((_, place) => place);
  if (padding === "under") return places.slice(-symbols.length);
  if (padding === "under, reversed") return places.slice(0, symbols.length);
  if (padding === "after") return places.filter((place) => !written.slice(0, place).includes(pad));
  return places.filter((place) => !written.slice(place + 1).includes(pad));
}

function explained(run, reply, weights) {
  const size = run.characters.length;
  const blank = run.page.padding.startsWith("under") ? "<pad>" : "<end>";
  const shown = (id) => id === run.pad ? blank : run.characters[id];
  const places = learned(run.page, reply, run.pad);
  const steps = places.map((place) => {
    const row = Array.from(reply.rows.slice(place * size, (place + 1) * size), (score) => Math.exp(Math.min(0, score)));
    const likely = row.map((probability, id) => [shown(id), probability]).sort((one, other) => other[1] - one[1]);
    return {symbol: shown(reply.written[place]), probability: row[reply.written[place]], likely: likely.slice(0, MOST_OTHERS)};
  });
  return {source: reply.symbols.join(run.source_separator), answer: reply.text, read: reply.symbols, steps,
    attention: weights && places.map((place) => weights[place])};
}
