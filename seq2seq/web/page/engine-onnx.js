// What answers on a static page: ONNX Runtime Web, in the browser, with the graph of an export. It has the functions of
// engine.js that need no server.
import * as ort from "../runtime/ort.wasm.bundle.min.mjs";
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

let properties, opened;
let last = Promise.resolve();

async function fetched() {
  const reply = await fetch(beside("export.json"));
  if (!reply.ok) throw new Error("export.json is missing beside the page");
  return reply.json();
}

const described = () => properties ??= fetched();

async function load() {
  tell("Loading the network; it is kept by the browser …");
  try {
    const run = await described();
    const session = await ort.InferenceSession.create(beside("model.onnx"));
    return {run, session, ids: new Map(run.characters.map((symbol, id) => [symbol, id]))};
  } finally {
    tell("");
  }
}

const open = () => opened ??= load();

export const runs = async () => {
  const run = await described();
  return [{name: run.page.name, task: run.task, kind: run.application, model: run.model, live: false, export: true}];
};

export async function describe() {
  const {run} = await open();
  const can = {steps: true, best: false, explain: true, continue: false, embeddings: false};
  return {example: run.page.example, engine: "onnx", model: run.model, most_best: 1, can,
    note: "This page does not mark sources that are unlike those of training: a run is less reliable with them."};
}

// The symbols of a source as the task would write it.
function read({run, ids}, source) {
  const {squeezed, form, example, turned} = run.page;
  let text = squeezed ? source.replaceAll(" ", "") : source;
  if (turned) text = turned === "upper" ? text.toUpperCase() : text.toLowerCase();
  if (!text.trim()) throw new SourceError("the source is empty");
  const symbols = split(run, text);
  const unknown = symbols.find((symbol) => symbol === "" || !ids.has(symbol));
  if (unknown !== undefined) {
    const known = run.characters.filter(Boolean).join(run.source_separator).slice(0, 100);
    throw new SourceError(`'${unknown}' is not among the ${run.source_separator ? "symbols" : "characters"} ${known}`);
  }
  if (form && !new RegExp(`^(?:${form})$`).test(text)) throw new SourceError(`'${text}' is not of the form of ${example}`);
  if (run.page.parentheses && !paired(text)) {
    throw new SourceError(`'${text}': each parenthesis needs its other half, and two terms or more between them`);
  }
  if (!run.rule) fits(run, symbols);
  return text;
}

const split = (run, text) => run.source_separator ? text.split(run.source_separator).filter(Boolean) : [...text];

function fits(run, symbols) {
  if (symbols.length <= run.source_length || run.any_length) return;
  throw new SourceError(`'${symbols.join(run.source_separator)}' has ${symbols.length} characters, but this run reads ${run.source_length}`);
}

function paired(text) {
  let level = 0;
  for (const character of text) {
    level += (character === "(") - (character === ")");
    if (level < 0) return false;
  }
  return level === 0 && !/\(-?[0-9]+\)/.test(text);
}

// One call of the graph, and no other at the same time: the outputs for one question.
async function called({run, session, ids}, question, signal) {
  const symbols = split(run, question);
  const source = BigInt64Array.from(symbols, (symbol) => BigInt(ids.get(symbol)));
  const before = last;
  let done;
  last = new Promise((resolve) => { done = resolve; });
  await before;
  try {
    signal?.throwIfAborted();
    const found = await session.run({source: new ort.Tensor("int64", source, [1, symbols.length])});
    const written = Array.from(found.ids.data, Number);
    const kept = written.filter((id) => id !== run.pad);
    const text = (run.reverse_target ? kept.reverse() : kept).map((id) => run.characters[id]).join(run.target_separator);
    return {symbols, written, text, confidence: Math.exp(Math.min(0, found.score.data[0])), rows: found.log_probabilities};
  } finally {
    done();
  }
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
    return {text: run.page.final ? steps.at(-1) : reply.text, confidence: reply.confidence, steps, replies: [reply]};
  }
  let confidence = 1;
  const {answer, steps} = await worked(text, run.rule, async (question, first) => {
    if ([...question].length > run.source_length && !run.any_length) {
      if (first) fits(run, [...question]);
      return null;
    }
    if (replies.size > MOST_STEPS) throw new SourceError(`takes more than ${MOST_STEPS} steps`);
    const reply = replies.get(question) ?? await called(model, question, signal);
    replies.set(question, reply);
    confidence *= reply.confidence;
    return reply.text;
  });
  return {text: answer, confidence, steps, replies: [...replies.values()]};
}

async function tried(source, call) {
  try {
    return {source, ...await call()};
  } catch (error) {
    if (error instanceof SourceError) return {source, error: error.message};
    throw error;
  }
}

export const ask = (name, source, signal) => tried(source, async () => {
  const {text, confidence, steps} = await answered(source, signal);
  return {text, confidence, unlike_training: null, ...steps.length > 1 ? {steps} : {}};
});

export const explain = (name, source, signal) => tried(source, async () => {
  const {run} = await open();
  const {replies} = await answered(source, signal);
  if (replies.length > MOST_CALLS) {
    throw new SourceError(`the working has ${replies.length} steps, and at most ${MOST_CALLS} are explained`);
  }
  return {calls: replies.map((reply) => explained(run, reply))};
});

// Which places of what was written are an answer, and the padding that ends it: see `learned` in vocabulary.py.
function learned({padding}, {symbols, written}, pad) {
  const places = written.map((_, place) => place);
  if (padding === "under") return places.slice(-symbols.length);
  if (padding === "under, reversed") return places.slice(0, symbols.length);
  if (padding === "after") return places.filter((place) => !written.slice(0, place).includes(pad));
  return places.filter((place) => !written.slice(place + 1).includes(pad));
}

function explained(run, reply) {
  const size = run.characters.length;
  const blank = run.page.padding.startsWith("under") ? "<pad>" : "<end>";
  const shown = (id) => id === run.pad ? blank : run.characters[id];
  const steps = learned(run.page, reply, run.pad).map((place) => {
    const row = Array.from(reply.rows.data.slice(place * size, (place + 1) * size), (score) => Math.exp(Math.min(0, score)));
    const likely = row.map((probability, id) => [shown(id), probability]).sort((one, other) => other[1] - one[1]);
    return {symbol: shown(reply.written[place]), probability: row[reply.written[place]], likely: likely.slice(0, MOST_OTHERS)};
  });
  return {source: reply.symbols.join(run.source_separator), answer: reply.text, read: reply.symbols, steps, attention: null};
}
