// What Node knows beside a page: the project's supervisor by its socket, else discovery files, and the environment.
// The same as a request handler serves pages that a dev server brings, on their own origin.

import { lstatSync, readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { createConnection } from "node:net";
import { homedir } from "node:os";
import { dirname, join, sep } from "node:path";
import { createDevinit as createCore, ENDPOINT } from "./devinit.js";

export { ENDPOINT, followEvents } from "./devinit.js";

const WIRE = 7;
const FRESH_SECONDS = 30;
const LOOK_MS = 500;
const SETTLE_MS = 20;
const HEARTBEAT_MS = 10_000;
const LONGEST_QUEUE = 65_536;
const LONGEST_FILE = 65_536;
const LONGEST_LINE = 64 * 1024 * 1024;
const REPLAYED = 64;
const FILE = /^\.([a-z][a-z0-9_-]*)-port\.json$/;
const TELLING = new Set(["plan", "phase", "port", "port_info", "environment", "summary"]);

const now = () => Date.now() / 1000;

/** The client for Node: it also asks the project's supervisor, discovery files and the environment. */
export function createDevinit(options = {}) {
  const { start, environment = process.env, ...more } = options;
  const isProduction = more.development === false || (more.development === undefined && environment.NODE_ENV === "production");
  const project = watchProject(start);
  const source = {
    ask: (timeout) => project.ask(timeout),
    follow: (take, report) => project.follow((event, value) => {
      take(event, value);
      report("live");
    }),
  };
  return createCore({
    inject: (name) => environment[`${name.replace(/[^\p{L}\p{N}]/gu, "_").toUpperCase()}_URL`],
    development: !isProduction,
    ...(isProduction || more.endpoint ? {} : { source }),
    ...more,
  });
}

/** Follow the project around a folder, as one value: what its supervisor says, else its discovery files. */
export function watchProject(start = process.cwd()) {
  const followers = new Set();
  const generation = Math.random().toString(16).slice(2, 6);
  let log = [];
  let number = 0;
  let value = null;
  let stop = null;

  function tell(event, data) {
    number += 1;
    const told = { id: `${generation}-${number}`, event, data };
    log = [...log, told].slice(-REPLAYED);
    for (const follower of [...followers]) follower(event, data, told.id);
  }

  function becomes(said) {
    const before = value;
    value = keepingTimes(said, before);
    if (!before || before.project !== value.project || !sameNames(before, value)) return tell("snapshot", value);
    for (const [name, service] of Object.entries(value.services)) {
      if (service !== before.services[name]) tell("service", service);
    }
  }

  function begin() {
    let isOver = false;
    let timer = null;
    let end = () => {};
    const look = () => {
      if (isOver) return;
      const socket = socketOf(start);
      const again = () => {
        becomes(withoutSupervisor(start, value));
        if (!isOver) timer = setTimeout(look, LOOK_MS);
      };
      if (socket) end = subscribe(socket, becomes, again);
      else again();
    };
    look();
    return () => {
      isOver = true;
      clearTimeout(timer);
      end();
      value = null;
      log = [];
    };
  }

  return {
    get value() {
      return value;
    },
    /** Call a function with a snapshot, or with what came after an event's id, and with each change. */
    follow(take, after) {
      const at = log.findIndex((each) => each.id === after);
      if (at >= 0) log.slice(at + 1).forEach((each) => take(each.event, each.data, each.id));
      else if (value) take("snapshot", value, `${generation}-${number}`);
      followers.add(take);
      stop ??= begin();
      return () => {
        if (!followers.delete(take) || followers.size > 0) return;
        stop?.();
        stop = null;
      };
    },
    /** The value now. */
    ask(timeout = 1000) {
      return new Promise((resolve) => {
        let leave = () => {};
        const end = (found) => {
          clearTimeout(timer);
          queueMicrotask(() => leave());
          resolve(found);
        };
        const timer = setTimeout(() => end(null), timeout);
        leave = this.follow((event, found) => event === "snapshot" && end(found));
      });
    },
  };
}

/** A request handler, for Connect, Express and node:http, that answers below /.well-known/devinit/. */
export function createHandler(project = watchProject()) {
  return function handle(request, response, next) {
    const path = (request.url ?? "/").split("?")[0].replace(/^\/\.well-known\/devinit(?=\/|$)/, "");
    if (!["", "/", "/events"].includes(path)) return next ? next() : refuse(response, 404);
    if (request.method !== "GET") return refuse(response, 405);
    if (!isOfThisMachine(request)) return refuse(response, 403);
    if (path === "/events") return serveEvents(project, request, response);
    void project.ask().then((value) => {
      response.writeHead(value ? 200 : 503, { "content-type": "application/json", "cache-control": "no-store" });
      response.end(JSON.stringify(value ?? { error: "the project does not answer" }));
    });
  };
}

/** A page of another origin, of another machine, or under a foreign name for this one learns nothing. */
function isOfThisMachine(request) {
  const host = /^(\[[^\]]*\]|[^:]*)(:\d+)?$/.exec(request.headers.host ?? "")?.[1] ?? "";
  const isLocalName = host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
  const from = request.socket.remoteAddress ?? "";
  const site = request.headers["sec-fetch-site"] ?? "none";
  return isLocalName && /^(::ffff:)?127\.|^::1$/.test(from) && ["same-origin", "none"].includes(site);
}

function refuse(response, status) {
  response.writeHead(status, { "content-type": "text/plain" });
  response.end(`${status}\n`);
}

function serveEvents(project, request, response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" });
  response.write("retry: 500\n\n");
  const send = (text) => {
    // A reader that does not read is cut off: it comes back, and begins with a snapshot.
    if (response.writableLength > LONGEST_QUEUE) response.destroy();
    else response.write(text);
  };
  const leave = project.follow(
    (event, data, id) => send(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
    request.headers["last-event-id"],
  );
  const heartbeat = setInterval(() => send(":\n\n"), HEARTBEAT_MS);
  response.on("close", () => {
    clearInterval(heartbeat);
    leave();
  });
}

/** Where the supervisor of the project around a folder listens; null while none has been started. */
function socketOf(start) {
  const folder = checkoutAround(start);
  return folder ? readSmall(join(folder.state, "socket"))?.trim() || null : null;
}

/** The innermost checkout around a folder that this user has started. */
function checkoutAround(start) {
  const home = process.env.XDG_STATE_HOME?.startsWith("/") ? process.env.XDG_STATE_HOME : join(homedir(), ".local", "state");
  const top = join(home, "devinit", "checkouts");
  let here;
  let names;
  try {
    here = realpathSync(start);
    names = readdirSync(top);
  } catch {
    return null;
  }
  return names
    .map((name) => ({ state: join(top, name), root: readSmall(join(top, name, "checkout"))?.split("\n").slice(2).join("\n") ?? "" }))
    .filter(({ root }) => root && (here === root || here.startsWith(root.endsWith(sep) ? root : root + sep)))
    .sort((a, b) => b.root.length - a.root.length)[0] ?? null;
}

/** Follow a supervisor; what ends or is none calls `over`, once. Returns what disconnects. */
function subscribe(path, take, over) {
  const socket = createConnection(path);
  let rest = "";
  let number = 1;
  let timer = null;
  let isOver = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    socket.destroy();
    over();
  };
  const call = (method) => socket.write(`${JSON.stringify({ jsonrpc: "2.0", id: (number += 1), method, params: {} })}\n`);
  const see = (message) => {
    if (message.method === "hello") {
      if ((message.params?.oldest_command ?? 1) > WIRE) return end();
      return call("subscribe");
    }
    if (message.error) return end();
    if (Array.isArray(message.result?.services)) return take(fromStatus(message.result));
    if (message.method === "event" && TELLING.has(message.params?.type)) {
      timer ??= setTimeout(() => {
        timer = null;
        call("status");
      }, SETTLE_MS);
    }
  };
  try {
    if (statSync(path).uid !== process.getuid()) throw new Error("another user's");
  } catch {
    queueMicrotask(end);
  }
  socket.setEncoding("utf8");
  socket.on("error", end);
  socket.on("close", end);
  socket.on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    if (rest.length > LONGEST_LINE) return end();
    for (const line of lines) {
      if (isOver) return;
      try {
        see(JSON.parse(line));
      } catch (error) {
        if (error instanceof SyntaxError) return end();
        throw error;
      }
    }
  });
  return () => {
    isOver = true;
    clearTimeout(timer);
    socket.destroy();
  };
}

/** A status of the supervisor as the value that pages get: no commands, paths, reasons or passwords. */
export function fromStatus({ project, services }) {
  const found = {};
  const at = now();
  for (const each of services) {
    for (const one of [each, ...(each.extra_ports ?? []).map((extra) => ({ ...each, ...extra }))]) {
      found[one.name] = {
        name: one.name,
        url: one.url ?? null,
        urls: one.urls ?? (one.url ? [one.url] : []),
        port: one.port ?? null,
        phase: each.phase,
        // One whose health checks fail answers all the same.
        ready: each.phase === "ready" || each.phase === "unhealthy",
        at: at - (each.uptime_seconds ?? 0),
      };
    }
  }
  return { project, services: found };
}

/** What is known without a supervisor: discovery files that are true, and that all others are stopped. */
function withoutSupervisor(start, before) {
  const services = {};
  for (const [name, old] of Object.entries(before?.services ?? {})) {
    services[name] = { ...old, phase: "stopped", ready: false, at: now() };
    delete services[name].source;
  }
  return { project: before?.project ?? null, services: { ...services, ...fromFiles(start) } };
}

/** What the nearest discovery files from a folder upwards say. */
export function fromFiles(start = process.cwd()) {
  for (let folder = start; ; folder = dirname(folder)) {
    let names = [];
    try {
      names = readdirSync(folder).filter((name) => FILE.test(name));
    } catch {
      // It cannot be listed: those above may.
    }
    const found = names.map((name) => fromFile(join(folder, name), FILE.exec(name)[1])).filter(Boolean);
    if (found.length > 0 || dirname(folder) === folder) {
      return Object.fromEntries(found.map((each) => [each.name, each]));
    }
  }
}

function fromFile(path, name) {
  try {
    const { url, port, timestamp, process_id: pid } = JSON.parse(readSmall(path) ?? "");
    if (typeof url !== "string" || !Number.isInteger(port) || !(Math.abs(now() - timestamp) <= FRESH_SECONDS)) return null;
    if (!isAlive(pid)) return null;
    return { name, url, urls: [url], port, phase: "ready", ready: true, at: timestamp, source: "file" };
  } catch {
    return null; // it is none of ours, or just being replaced
  }
}

function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

function readSmall(path) {
  try {
    const found = lstatSync(path);
    return found.isFile() && found.size <= LONGEST_FILE ? readFileSync(path, "utf8") : null;
  } catch {
    return null;
  }
}

const sameNames = (a, b) => Object.keys(a.services).sort().join() === Object.keys(b.services).sort().join();

/** Keep the objects of services about which nothing has changed, with the moment since when that is so. */
function keepingTimes(said, before) {
  const services = {};
  for (const [name, service] of Object.entries(said.services)) {
    const old = before?.services[name];
    // A run that began later is another one on the same port.
    const isSame = old && ["url", "port", "phase", "ready", "source"].every((key) => old[key] === service[key]) &&
      service.urls.join() === old.urls.join() && (service.source === "file" || Math.abs(service.at - old.at) < 1 || service.phase !== "ready");
    services[name] = isSame ? old : service;
  }
  return { project: said.project, services };
}

