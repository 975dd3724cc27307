// What answers: the server that sent this page.

export const views = ["ask", "watch", "evaluate"];

const SLOW = 2000; // milliseconds
const lines = new Map(); // what is waited for, by request
let tell = () => {};

// `show` is called with a line while an answer takes long, and with "" when nothing is waited for any more.
export function whenWaiting(show) {
  tell = show;
}

function waiting(request, line) {
  if (line) lines.set(request, line);
  else lines.delete(request);
  tell([...lines.values()].at(-1) ?? "");
}

// The reply of the server. One that has no time for it yet, as while it opens a run, is asked again.
async function replied(path, options = {}) {
  const request = {};
  const slow = setTimeout(() => waiting(request, "Waiting for the server, which may be opening the run …"), SLOW);
  try {
    for (;;) {
      const reply = await fetch(`/api/runs${path}`, options);
      if (reply.status !== 503) return reply;
      waiting(request, `Waiting: ${(await reply.json()).error} …`);
      await new Promise((done) => setTimeout(done, 1000 * (Number(reply.headers.get("Retry-After")) || 1)));
      options.signal?.throwIfAborted();
    }
  } finally {
    clearTimeout(slow);
    waiting(request, "");
  }
}

async function asked(path, options) {
  const reply = await replied(path, options);
  const values = await reply.json();
  if (!reply.ok) throw new Error(values.error);
  return values;
}

const posted = (body, signal) => ({
  method: "POST",
  headers: {"Content-Type": "application/json"},
  body: JSON.stringify(body),
  signal,
});

const question = (name, what, body, signal) => asked(`/${encodeURIComponent(name)}/${what}`, posted(body, signal));

export const runs = async () => (await asked("")).runs;
export const describe = (name) => asked(`/${encodeURIComponent(name)}`);
// The browser's cache sends If-None-Match, and has the values if nothing has changed.
export const metrics = (name) => asked(`/${encodeURIComponent(name)}/metrics`, {cache: "no-cache"});
export const evaluation = (name) => asked(`/${encodeURIComponent(name)}/evaluation`, {cache: "no-cache"});
export const embeddings = (name) => asked(`/${encodeURIComponent(name)}/embeddings`);
export const samples = (name) => asked(`/${encodeURIComponent(name)}/samples`);
export const ask = (name, source, signal) => question(name, "ask", {source}, signal);
export const best = (name, source, n, signal) => question(name, "best", {source, n}, signal);
export const explain = (name, source, signal) => question(name, "explain", {source}, signal);
export const expect = (name, source, signal) => question(name, "expect", {source}, signal);

// The continuation of a text, in pieces as they are written.
export async function* continued(name, body, signal) {
  const reply = await replied(`/${encodeURIComponent(name)}/continue`, posted(body, signal));
  if (!reply.ok) throw new Error((await reply.json()).error);
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const piece = JSON.parse(line);
      if (piece.error) throw new Error(piece.error);
      yield piece.text;
    }
  }
}
