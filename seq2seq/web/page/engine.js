// What answers: the server that sent this page.

async function asked(path, options = {}) {
  const reply = await fetch(`/api/runs${path}`, options);
  const values = await reply.json();
  if (!reply.ok) throw new Error(values.error);
  return values;
}

function posted(path, body, signal) {
  return fetch(`/api/runs${path}`, {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify(body),
    signal,
  });
}

async function question(name, what, body, signal) {
  const path = `/${encodeURIComponent(name)}/${what}`;
  let reply = await posted(path, body, signal);
  if (reply.status === 503) { // the queue is full: once more, when the server says
    await new Promise((done) => setTimeout(done, 1000 * (Number(reply.headers.get("Retry-After")) || 1)));
    reply = await posted(path, body, signal);
  }
  const values = await reply.json();
  if (!reply.ok) throw new Error(values.error);
  return values;
}

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
  const reply = await posted(`/${encodeURIComponent(name)}/continue`, body, signal);
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
