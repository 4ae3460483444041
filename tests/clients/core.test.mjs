// Specifies the client without a project: sources by trust, the state, and its fetch. Run by test_javascript.py.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { test } from "node:test";
import { createDevinit } from "../../devinit/clients/javascript/devinit.js";

const snapshot = (services, project = "shop") => ({
  project,
  services: Object.fromEntries(services.map((each) => [each.name, { phase: "ready", ready: true, at: 1, ...each }])),
});

/** A live source that a test holds in its hand. */
function hand(first) {
  const told = { takes: [], asked: 0, stopped: 0 };
  return {
    told,
    ask: async () => ((told.asked += 1), first),
    follow: (take, report) => {
      told.takes.push(take);
      told.report = report;
      if (first) queueMicrotask(() => (take("snapshot", first), report("live")));
      return () => (told.stopped += 1);
    },
    say(event, value) {
      for (const take of told.takes) take(event, value);
    },
  };
}

async function serving(answer) {
  const server = createServer(answer);
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, port: server.address().port, close: () => (server.closeAllConnections(), server.close()) };
}

const backend = (port, more = {}) => ({ name: "backend", url: `http://localhost:${port}`, port, ...more });

test("what is given by hand wins until it is reset", async () => {
  const devinit = createDevinit({ services: { backend: "http://localhost:1" }, source: hand(snapshot([backend(8001)])) });

  assert.equal((await devinit.discover("backend")).url, "http://localhost:1");
  devinit.update("backend", { url: "http://localhost:2" });
  assert.equal((await devinit.discover("backend")).source, "given");
  devinit.reset("backend");
  assert.deepEqual([(await devinit.discover("backend")).url, devinit.service("backend").source], ["http://localhost:8001", "live"]);
});

test("what was injected at the start of the dev server is corrected by what is live", async () => {
  const devinit = createDevinit({ injected: { backend: "http://localhost:8000" }, source: hand(snapshot([backend(8001)])) });

  assert.equal(devinit.service("backend").url, "http://localhost:8000");
  assert.equal((await devinit.discover("backend")).url, "http://localhost:8001");
});

test("an injected address of another machine was chosen, and is not corrected", async () => {
  const devinit = createDevinit({ injected: { backend: "https://api.shop.example" }, source: hand(snapshot([backend(8001)])) });
  devinit.subscribe(() => {});
  await pause(5);

  assert.equal((await devinit.discover("backend")).url, "https://api.shop.example");
});

test("a service that is not ready has no address", async () => {
  const devinit = createDevinit({ source: hand(snapshot([backend(8001, { phase: "starting", ready: false })])) });

  assert.equal(await devinit.discover("backend"), null);
});

test("the fallback is unreachable until something else is known", async () => {
  const devinit = createDevinit({ fallback: { backend: "http://localhost:8000" }, source: hand(null) });

  assert.equal(devinit.state.status, "unreachable");
  assert.equal((await devinit.discover("backend")).source, "fallback");
  devinit.hear('noise\n{"type":"port_info","service":"backend","po');
  devinit.hear('rt":8003,"url":"http://localhost:8003"}\n');
  assert.deepEqual([devinit.service("backend").url, devinit.service("backend").source], ["http://localhost:8003", "announced"]);
});

test("the state is one object until something changes, and the same object for each service", async () => {
  const source = hand(snapshot([backend(8001), { name: "web", url: "http://localhost:5173" }]));
  const devinit = createDevinit({ source });
  const seen = [];
  const stop = devinit.subscribe((state) => seen.push(state));
  await pause(5);

  const before = devinit.state;
  source.say("service", { ...backend(8001), phase: "ready", ready: true, at: 1 });
  assert.equal(devinit.state, before);
  source.say("service", { ...backend(8002), phase: "ready", ready: true, at: 2 });
  assert.notEqual(devinit.state, before);
  assert.equal(devinit.state.services.web, before.services.web);
  assert.throws(() => { devinit.state.services.web.url = "x"; }, TypeError);
  assert.equal(seen[0].status, "connecting");
  assert.equal(seen.at(-1).services.backend.port, 8002);
  stop();
});

test("the first subscriber connects and the last one disconnects", async () => {
  const source = hand(snapshot([]));
  const devinit = createDevinit({ source });
  const stops = [devinit.subscribe(() => {}), devinit.listen(() => {})];

  assert.equal(source.told.takes.length, 1);
  stops.forEach((stop) => stop());
  stops.forEach((stop) => stop());
  assert.equal(source.told.stopped, 1);
});

test("a change is reported with the value before it", async () => {
  const source = hand(snapshot([backend(8001)]));
  const devinit = createDevinit({ source });
  const changes = [];
  devinit.onChange("backend", (now, before) => changes.push([before?.port, now?.port]));
  await pause(5);
  source.say("service", { ...backend(8002), ready: true, at: 2 });

  assert.deepEqual(changes, [[undefined, 8001], [8001, 8002]]);
});

test("another project's answer does not count", async () => {
  const devinit = createDevinit({ project: "blog", source: hand(snapshot([backend(8001)])) });

  assert.equal(await devinit.discover("backend"), null);
  assert.equal(devinit.state.status, "static");
});

test("waiting ends with a TimeoutError, or with the signal's reason", async () => {
  const devinit = createDevinit({ source: hand(null), timeout: 20 });

  await assert.rejects(devinit.wait("backend", { timeout: 50 }), { name: "TimeoutError", message: /backend does not answer/ });
  await assert.rejects(devinit.wait("backend", { signal: AbortSignal.abort(new Error("enough")) }), /enough/);
});

test("a wait ends when the service is ready", async () => {
  const source = hand(snapshot([backend(8001, { ready: false, phase: "starting" })]));
  const devinit = createDevinit({ source });
  const waits = devinit.wait("backend");
  await pause(5);
  source.say("service", { ...backend(8001), ready: true, phase: "ready", at: 2 });

  assert.equal((await waits).phase, "ready");
});

test("a GET follows a backend that has moved, once", async () => {
  const there = await serving((request, response) => response.end(request.url));
  const source = hand(snapshot([backend(1)]));
  const devinit = createDevinit({ source });
  const answer = devinit.fetch("backend", "/items?x=1");
  await pause(50);
  source.say("service", { ...backend(1), phase: "stopping", ready: false, at: 2 });
  await pause(50);
  source.say("service", { name: "backend", url: there.url, phase: "ready", ready: true, at: 3 });

  assert.equal(await (await answer).text(), "/items?x=1");
  there.close();
});

test("a POST is not sent again", async () => {
  const source = hand(snapshot([backend(1)]));
  const devinit = createDevinit({ source });

  await assert.rejects(devinit.fetch("backend", "/items", { method: "POST", body: "x" }), TypeError);
  assert.equal(source.told.takes.length, 0);
});

test("a request that fails although the service is where it was fails soon, with its own error", async () => {
  const devinit = createDevinit({ source: hand(snapshot([backend(1)])) });
  const began = Date.now();

  await assert.rejects(devinit.fetch("backend", "/"), (error) => error instanceof TypeError && /fetch failed/.test(error.message));
  assert.ok(Date.now() - began < 4_000);
});

test("any request waits for a service that is starting", async () => {
  const there = await serving((request, response) => request.on("data", () => {}).on("end", () => response.end(request.method)));
  const source = hand(snapshot([backend(1, { ready: false, phase: "starting" })]));
  const devinit = createDevinit({ source });
  const answer = devinit.fetch("backend", "/", { method: "POST", body: "x" });
  await pause(20);
  source.say("service", { name: "backend", url: there.url, phase: "ready", ready: true, at: 3 });

  assert.equal(await (await answer).text(), "POST");
  there.close();
});

test("a path cannot name another host", async () => {
  let asked = "";
  const devinit = createDevinit({ services: { backend: "http://localhost:8000" }, fetch: async (url) => ((asked = String(url)), new Response("")) });
  await devinit.fetch("backend", "@evil.example/x");

  assert.equal(new URL(asked).host, "localhost:8000");
});

test("a scan believes only what says that it is this service of this project", async () => {
  const names = [];
  const answer = (said) => (request, response) => {
    names.push([request.url, request.headers.cookie]);
    response.end(JSON.stringify(said));
  };
  const stranger = await serving(answer({ service: "backend", project: "blog" }));
  const ours = await serving(answer({ service: "backend", project: "shop" }));
  const ask = (port) => createDevinit({ project: "shop", source: null, development: true, scan: { backend: { ports: [port, port] } } }).discover("backend");

  assert.equal(await ask(stranger.port), null);
  assert.equal((await ask(ours.port)).source, "scanned");
  assert.deepEqual(names[0], ["/health", undefined]);
  stranger.close();
  ours.close();
});

test("a stored address counts while it is fresh and answers, and only for its project", async () => {
  const there = await serving((request, response) => response.end("{}"));
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  const live = createDevinit({ development: true, storage, source: hand(snapshot([{ name: "backend", url: there.url }])) });
  await live.discover("backend");
  const again = (project) => createDevinit({ project, development: true, storage, source: null }).discover("backend");

  assert.equal((await again("shop")).source, "stored");
  assert.equal(await again("blog"), null);
  kept.set("devinit:shop:backend", JSON.stringify({ url: there.url, at: Date.now() / 1000 - 31 }));
  assert.equal(await again("shop"), null);
  there.close();
  kept.set("devinit:shop:backend", JSON.stringify({ url: there.url, at: Date.now() / 1000 }));
  assert.equal(await again("shop"), null);
});

test("in production only what was given and injected counts", async () => {
  const devinit = createDevinit({
    development: false, endpoint: "http://127.0.0.1:1/.well-known/devinit/", project: "shop", injected: { backend: "http://localhost:1" },
    scan: { backend: { ports: [1, 2] } }, fetch: () => assert.fail("it asked"),
  });

  assert.equal((await devinit.discover("backend")).source, "injected");
  assert.equal(await devinit.discover("web"), null);
  assert.equal(devinit.state.status, "static");
});

/** A server of the endpoint that a test lets speak. */
async function endpoint({ silent = false } = {}) {
  const streams = [];
  const there = await serving((request, response) => {
    if (!request.url.endsWith("/events")) return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(snapshot([backend(8001)])));
    streams.push({ response, lastId: request.headers["last-event-id"] });
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (!silent || streams.length === 1) response.write(`retry: 20\n\nid: a-${streams.length}\nevent: snapshot\ndata: ${JSON.stringify(snapshot([backend(8000 + streams.length)]))}\n\n`);
  });
  return { ...there, streams, base: `${there.url}/.well-known/devinit/` };
}

async function until(look) {
  for (let tries = 0; tries < 500; tries += 1) {
    if (look()) return;
    await pause(10);
  }
  assert.fail("it does not come");
}

test("a stream that breaks is taken up again where it was", async () => {
  const there = await endpoint();
  const devinit = createDevinit({ development: true, endpoint: there.base });
  const statuses = [];
  const stop = devinit.subscribe((state) => statuses.push(state.status));
  await until(() => devinit.service("backend")?.port === 8001);
  there.streams[0].response.write("id: a-7\r\nevent: service\r\ndata: {\"name\":\"backend\",\r\ndata: \"url\":\"http://localhost:8009\",\"ready\":true,\"at\":9}\r\n\r\n");
  await until(() => devinit.service("backend").port === 8009);
  there.streams[0].response.destroy();
  await until(() => devinit.service("backend").port === 8002);

  assert.equal(there.streams[1].lastId, "a-7");
  assert.deepEqual([...new Set(statuses)], ["connecting", "live", "reconnecting"]);
  stop();
  there.close();
});

test("a stream without a heartbeat is dead, and what it said is stale", async () => {
  const there = await endpoint({ silent: true });
  const devinit = createDevinit({ development: true, endpoint: there.base, staleAfter: 0.1 });
  const stop = devinit.subscribe(() => {});
  await until(() => devinit.state.status === "stale");

  assert.equal(devinit.service("backend").port, 8001);
  stop();
  there.close();
});

test("a page in the place of the endpoint is none, and is not asked again", async () => {
  let requests = 0;
  const there = await serving((request, response) => {
    requests += 1;
    response.writeHead(200, { "content-type": "text/html" }).end("<p>the single page for every path</p>");
  });
  const devinit = createDevinit({ development: true, endpoint: `${there.url}/x/` });
  await devinit.discover("backend");
  await devinit.discover("backend");
  devinit.subscribe(() => {});
  await pause(50);

  assert.equal(requests, 1);
  assert.equal(devinit.state.status, "static");
  there.close();
});

test("a proxy without its server is asked again", async () => {
  let requests = 0;
  const there = await serving((request, response) => {
    requests += 1;
    if (requests === 1) return response.writeHead(502).end();
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`event: snapshot\ndata: ${JSON.stringify(snapshot([backend(8001)]))}\n\n`);
  });
  const devinit = createDevinit({ development: true, endpoint: `${there.url}/` });
  const stop = devinit.subscribe(() => {});
  await until(() => devinit.state.status === "live");

  stop();
  there.close();
});
