// devinit client: where the services of a project answer now, and when that changes. No dependencies, no build step.
//
//     import { createDevinit } from "./devinit.js";
//     const devinit = createDevinit({ fallback: { backend: "http://localhost:8000" } });
//     const answer = await devinit.fetch("backend", "/items");
//
// Which sources are asked in which order, and what each is worth, stands in the guide to clients.

export const ENDPOINT = "/.well-known/devinit/";
const STALE_SECONDS = 30;
const ANSWER_MS = 300;
const NOTICE_MS = 1_500;
const PATIENCE_MS = 10_000;
const WAIT_MS = 60_000;
const FIRST_PAUSE_MS = 250;
const FRESH_SECONDS = 1;
const LONGEST_PAUSE_MS = 10_000;
const LONGEST_LINE = 65_536;
const IN_PAGE = "devinit-addresses";

/** The sources, most trusted first. `live` corrects what was injected when the dev server was started. */
const SOURCES = ["given", "live", "injected", "file", "announced", "stored", "scanned", "fallback"];

const now = () => Date.now() / 1000;

/** @returns {import("./devinit.js").Devinit} */
export function createDevinit(options = {}) {
  return new Client(options);
}

class Client {
  #options;
  #known = Object.fromEntries(SOURCES.map((source) => [source, new Map()]));
  #listeners = new Set();
  #state;
  #project;
  #source;
  #stop = null;
  #link = "connecting";
  #heard = "";
  #asked = null;
  #askedAt = -Infinity;

  constructor(options) {
    this.#options = { timeout: ANSWER_MS, patience: PATIENCE_MS, ...options };
    this.#project = options.project ?? null;
    this.#source = options.source ?? sameOrigin(this.#options);
    for (const [source, values] of [
      ["given", options.services],
      ["injected", { ...fromPage(), ...options.injected }],
      ["fallback", options.fallback],
    ]) {
      for (const [name, value] of Object.entries(values ?? {})) this.#put(source, name, value);
    }
    this.#link = this.#source ? "connecting" : "static";
    this.#state = this.#made();
    /** The state before anything was heard: what a server renders, and a page at first. */
    this.initial = this.#state;
  }

  /** What is known now: an object that is replaced, and never changed. */
  get state() {
    return this.#state;
  }

  /** Call a function with the state, now and after each change; the store contract of Svelte. */
  subscribe(listener) {
    const stop = this.listen(listener);
    listener(this.#state);
    return stop;
  }

  /** Call a function after each change. The first listener connects, the last one disconnects. */
  listen(listener) {
    const each = (state) => listener(state);
    this.#listeners.add(each);
    if (this.#listeners.size === 1) this.#connect();
    return () => {
      if (this.#listeners.delete(each) && this.#listeners.size === 0) this.#disconnect();
    };
  }

  /** Call a function when a service's address or readiness changes. */
  onChange(name, listener) {
    let before = this.service(name);
    return this.listen(() => {
      const after = this.service(name);
      if (after === before) return;
      const earlier = before;
      before = after;
      listener(after, earlier);
    });
  }

  /** What is known of a service without asking; null when nothing is. */
  service(name) {
    return this.#state.services[name] ?? null;
  }

  /** Where a service answers: the most trusted source that says so. Null when none does, or it is not ready. */
  async discover(name) {
    const injected = this.#options.inject?.(name);
    if (injected && !this.#known.injected.has(name)) {
      this.#put("injected", name, injected);
      this.#tell();
    }
    if (this.#known.given.has(name) || this.#isFinal(name)) return answering(this.service(name));
    if (this.#source) await this.#ask();
    const found = this.service(name);
    if (found && !["stored", "fallback"].includes(found.source)) return answering(found);
    for (const guess of [() => this.#recall(name), () => this.#scan(name)]) {
      const url = await guess();
      if (url) break;
    }
    return answering(this.service(name));
  }

  /** Where a service answers, as soon as it does. Rejects with a TimeoutError. */
  async wait(name, { timeout = WAIT_MS, signal } = {}) {
    const found = await this.discover(name);
    if (found && found.source !== "fallback") return found;
    return this.#until(() => {
      const service = answering(this.service(name));
      return service && service.source !== "fallback" ? service : null;
    }, { timeout, signal, what: `${name} does not answer` });
  }

  /**
   * `fetch` from a service, wherever it is now. It waits for one that is known to be starting. A GET or HEAD that
   * did not reach it is sent once more when it has moved or come back since.
   */
  async fetch(name, path = "/", init = {}) {
    const { fetch = globalThis.fetch } = this.#options;
    const service = await this.#reachable(name, init.signal);
    try {
      return await fetch(joined(service.url, path), init);
    } catch (error) {
      const method = (init.method ?? "GET").toUpperCase();
      if (!(error instanceof TypeError) || !["GET", "HEAD"].includes(method) || !this.#source) throw error;
      const other = await this.#movedFrom(service, init.signal);
      if (!other) throw error;
      return fetch(joined(other.url, path), init);
    }
  }

  /** Say by hand where a service answers; it wins until `reset`. */
  update(name, value) {
    this.#put("given", name, value);
    this.#tell();
  }

  /** Forget what was given by hand: of one service, or of all. */
  reset(name) {
    if (name === undefined) this.#known.given.clear();
    else this.#known.given.delete(name);
    this.#tell();
  }

  /**
   * Take the output of a program that was started as a child, in pieces as they come. Its `port_info` lines count, from
   * a sidecar of Tauri for example; all other lines are ignored.
   */
  hear(text) {
    const lines = (this.#heard + text).split("\n");
    this.#heard = lines.pop().slice(0, LONGEST_LINE);
    for (const line of lines) {
      const said = parsed(line);
      if (said?.type !== "port_info" || typeof said.service !== "string" || !Number.isInteger(said.port)) continue;
      this.#put("announced", said.service, said.url ?? `http://localhost:${said.port}`);
      this.#tell();
    }
  }

  /** Disconnect, and call no subscriber any more. */
  close() {
    this.#listeners.clear();
    this.#disconnect();
  }

  #put(source, name, value) {
    const said = typeof value === "string" ? { url: value } : value;
    if (!said || typeof name !== "string") return;
    if (said.url !== null && said.url !== undefined && !isAddress(said.url)) return;
    const url = said.url ?? null;
    this.#known[source].set(name, {
      name,
      url,
      urls: Array.isArray(said.urls) ? said.urls.filter(isAddress) : url ? [url] : [],
      port: said.port ?? portOf(url),
      phase: said.phase ?? null,
      ready: said.ready ?? null,
      source: said.source ?? source,
      at: said.at ?? now(),
    });
  }

  /** An address that was chosen for good: injected, and not on this machine. */
  #isFinal(name) {
    const injected = this.#known.injected.get(name);
    return Boolean(injected?.url) && !isLocal(injected.url);
  }

  #best(name) {
    if (!this.#known.given.has(name) && this.#isFinal(name)) return this.#known.injected.get(name);
    return SOURCES.map((source) => this.#known[source].get(name)).find(Boolean);
  }

  #made() {
    const names = new Set(SOURCES.flatMap((source) => [...this.#known[source].keys()]));
    const services = {};
    for (const name of [...names].sort()) {
      const best = this.#best(name);
      const before = this.#state?.services[name];
      services[name] = before && isSame(before, best) ? before : Object.freeze(best);
    }
    const worst = Object.values(services);
    const isGuess = worst.length > 0 && worst.every((each) => each.source === "fallback");
    return Object.freeze({
      status: isGuess && this.#link !== "live" ? "unreachable" : this.#link,
      services: Object.freeze(services),
      source: worst.map((each) => each.source).sort((a, b) => SOURCES.indexOf(a) - SOURCES.indexOf(b))[0] ?? null,
      project: this.#project,
      at: now(),
    });
  }

  /** Replace the state if it says something else now, and tell it. */
  #tell() {
    const made = this.#made();
    const names = Object.keys(made.services);
    const isUnchanged =
      made.status === this.#state.status &&
      made.project === this.#state.project &&
      names.length === Object.keys(this.#state.services).length &&
      names.every((name) => made.services[name] === this.#state.services[name]);
    if (isUnchanged) return;
    this.#state = made;
    for (const listener of [...this.#listeners]) listener(made);
  }

  #connect() {
    if (!this.#source || this.#stop) return;
    this.#stop = this.#source.follow(
      (event, value) => this.#take(event, value),
      (link) => {
        if (link === "none") this.#giveUp();
        else this.#link = link;
        this.#tell();
      },
    );
  }

  #disconnect() {
    this.#stop?.();
    this.#stop = null;
    if (this.#source) this.#link = "connecting";
  }

  #take(event, value) {
    if (event === "snapshot") {
      if (this.#options.project && value.project !== this.#options.project) return this.#giveUp();
      this.#project = value.project ?? this.#project;
      this.#known.live.clear();
      this.#known.file.clear();
      for (const [name, service] of Object.entries(value.services ?? {})) this.#takeOne(name, service);
    } else if (event === "service" && typeof value?.name === "string") {
      this.#takeOne(value.name, value);
    }
    this.#tell();
  }

  #takeOne(name, service) {
    if (typeof service !== "object" || service === null) return;
    this.#put(service.source === "file" ? "file" : "live", name, service);
    if (service.ready && service.url) this.#remember(name, service.url);
  }

  /** Ask once, unless a connection tells by itself. Requests at the same time share one. */
  async #ask() {
    const { timeout } = this.#options;
    if (!this.#source || this.#link === "live") return;
    if (this.#stop) return void (await this.#within(timeout, () => this.#link !== "connecting"));
    this.#asked ??= this.#source.ask(timeout).then(
      (value) => {
        if (value === undefined) this.#giveUp();
        else if (value) this.#take("snapshot", value);
      },
      () => {}, // it does not answer now
    ).finally(() => {
      this.#asked = null;
      this.#askedAt = now();
    });
    await this.#asked;
  }

  /** There is no such source. */
  #giveUp() {
    this.#stop?.();
    this.#stop = this.#source = null;
    this.#link = "static";
    this.#tell();
  }

  async #reachable(name, signal) {
    const isFresh = now() - this.#askedAt < FRESH_SECONDS;
    const found = (isFresh && answering(this.service(name))) || (await this.discover(name));
    if (found) return found;
    if (!this.#source) throw new TypeError(`devinit knows no address of ${name}`);
    const what = `${name} does not answer`;
    return this.#until(() => answering(this.service(name)), { timeout: this.#options.patience, signal, what });
  }

  /** Wait until a service that was not reached answers elsewhere or newly. Null when it just goes on where it was. */
  async #movedFrom(before, signal) {
    const other = () => {
      const found = answering(this.service(before.name));
      return found && (found.url !== before.url || found.at > before.at) ? found : null;
    };
    const stop = this.listen(() => {});
    try {
      // A refusal that devinit has not seen yet is seen soon; anything else, such as CORS, is no move.
      const isAway = () => this.#link === "live" && !answering(this.service(before.name));
      if (!(await this.#within(NOTICE_MS, () => isAway() || other(), signal))) return null;
      return other() ?? (await this.#within(this.#options.patience, other, signal));
    } finally {
      stop();
    }
  }

  /** Return what is found in time, else null. */
  async #within(timeout, find, signal) {
    return this.#until(find, { timeout, signal, what: "" }).catch((error) => {
      if (error.name === "TimeoutError" && !signal?.aborted) return null;
      throw error;
    });
  }

  #until(find, { timeout, signal, what }) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      let stop = () => {};
      const end = (settle, value) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        stop();
        settle(value);
      };
      const abort = () => end(reject, signal.reason);
      const timer = setTimeout(() => end(reject, timedOut(what, timeout)), timeout);
      signal?.addEventListener("abort", abort);
      const look = () => {
        const found = find();
        if (found) end(resolve, found);
      };
      stop = this.listen(look);
      look();
    });
  }

  #remember(name, url) {
    if (!this.#project || !isDevelopment(this.#options)) return;
    try {
      storageOf(this.#options)?.setItem(`devinit:${this.#project}:${name}`, JSON.stringify({ url, at: now() }));
    } catch {
      // It is full, or forbidden: the value is only a shortcut.
    }
  }

  /** The last value, while it is fresh and answers. Without the project's name it could be another project's. */
  async #recall(name) {
    if (!this.#project || !isDevelopment(this.#options)) return null;
    let said = null;
    try {
      said = parsed(storageOf(this.#options)?.getItem(`devinit:${this.#project}:${name}`) ?? "");
    } catch {
      return null;
    }
    if (!said || !isAddress(said.url) || !(Math.abs(now() - said.at) <= STALE_SECONDS)) return null;
    if ((await this.#answer(said.url, this.#options.health ?? "/health")) === null) return null;
    this.#put("stored", name, { url: said.url, at: said.at });
    this.#tell();
    return said.url;
  }

  /** Look at ports, by choice and in development only; only what says that it is this very service is believed. */
  async #scan(name) {
    const { ports, path = "/health" } = this.#options.scan?.[name] ?? {};
    if (!ports || !this.#options.project || !isDevelopment(this.#options)) return null;
    for (let port = ports[0]; port <= ports[1] && port - ports[0] < 100; port += 1) {
      const url = `http://localhost:${port}`;
      const said = await this.#answer(url, path);
      if (said?.service !== name || said.project !== this.#options.project) continue;
      this.#put("scanned", name, url);
      this.#tell();
      return url;
    }
    return null;
  }

  /** What a health check answers, asked without cookies and without following redirects; null when it does not. */
  async #answer(url, path) {
    const { fetch = globalThis.fetch, timeout } = this.#options;
    try {
      const answer = await fetch(joined(url, path), {
        credentials: "omit", redirect: "error", cache: "no-store", signal: AbortSignal.timeout(timeout),
      });
      return answer.ok ? (parsed(await answer.text()) ?? {}) : null;
    } catch {
      return null;
    }
  }
}

/** The source that a page has in the server it came from. */
function sameOrigin(options) {
  if (options.endpoint === false || !isDevelopment(options)) return null;
  const origin = globalThis.location?.origin;
  if (!options.endpoint && !/^https?:/.test(origin ?? "")) return null;
  const base = new URL(options.endpoint ?? ENDPOINT, origin);
  const fetch = options.fetch ?? ((...words) => globalThis.fetch(...words));
  return {
    ask: async (timeout) => {
      const answer = await fetch(base, { cache: "no-store", signal: AbortSignal.timeout(timeout) });
      if (answer.status >= 500) return null;
      const isOurs = answer.ok && (answer.headers.get("content-type") ?? "").includes("json");
      const said = isOurs ? await answer.json() : null;
      return said?.services ? said : undefined; // a page in its place, or 404: nothing is there, and never asked again
    },
    follow: (take, report) =>
      followTogether(base.href, take, report, options.staleAfter, (take, report) =>
        followEvents(new URL("events", base), { fetch, take, report, staleAfter: options.staleAfter })),
  };
}

/**
 * One stream for all tabs of an origin. A browser has six connections to a server of HTTP/1.1, and a stream keeps one:
 * the seventh tab would not load. The tab that has the lock tells the others, and is replaced when it goes.
 */
function followTogether(name, take, report, staleAfter = STALE_SECONDS, follow) {
  const locks = globalThis.navigator?.locks;
  if (!locks || !globalThis.BroadcastChannel || !globalThis.document) return follow(take, report);
  const channel = new BroadcastChannel(`devinit:${name}`);
  const ending = new AbortController();
  let isOver = false;
  let isLeading = false;
  let known = null;
  let link = "connecting";
  let stop = () => {};
  let silence = null;
  const heard = () => {
    clearTimeout(silence);
    // The tab that should tell is held by a debugger, for example.
    if (!isLeading && !isOver) silence = setTimeout(() => { stop(); stop = follow(take, report); }, staleAfter * 1000);
  };
  channel.onmessage = ({ data }) => {
    if (isLeading) {
      if (data.asks && known) channel.postMessage({ event: "snapshot", value: known, link });
      return;
    }
    heard();
    if (data.event) take(data.event, data.value);
    if (data.link && !isOver) report(data.link);
  };
  heard();
  channel.postMessage({ asks: true });
  const lead = () =>
    new Promise((release) => {
      isLeading = true;
      stop();
      clearTimeout(silence);
      const leave = follow(
        (event, value) => {
          known = event === "snapshot" ? value : { ...known, services: { ...known?.services, [value.name]: value } };
          channel.postMessage({ event, value });
          take(event, value);
        },
        (now) => {
          link = now;
          channel.postMessage({ link });
          report(now);
        },
      );
      stop = () => { leave(); release(); };
    });
  locks.request(`devinit:${name}`, { signal: ending.signal }, lead).catch(() => {}); // given up before its turn
  return () => {
    isOver = true;
    clearTimeout(silence);
    stop();
    ending.abort();
    channel.close();
  };
}

/** Follow a stream of server-sent events over `fetch`, and come back to it with pauses. Returns what stops it. */
export function followEvents(url, { fetch, take, report, staleAfter = STALE_SECONDS }) {
  const ending = new AbortController();
  let retry = FIRST_PAUSE_MS;
  let lastId = "";
  let wasThere = false;
  let heardAt = now();

  async function once() {
    const connection = new AbortController();
    const end = () => connection.abort();
    ending.signal.addEventListener("abort", end);
    let silence = setTimeout(end, staleAfter * 1000);
    const heard = () => {
      heardAt = now();
      clearTimeout(silence);
      silence = setTimeout(end, staleAfter * 1000);
      if (wasThere) report("live");
    };
    try {
      const headers = { accept: "text/event-stream", ...(lastId && { "last-event-id": lastId }) };
      const answer = await fetch(url, { headers, cache: "no-store", signal: connection.signal });
      const isStream = answer.ok && (answer.headers.get("content-type") ?? "").includes("text/event-stream");
      if (!isStream) {
        void answer.body?.cancel();
        return wasThere || answer.status >= 500 ? "again" : "none";
      }
      for await (const event of events(answer.body, heard)) {
        if (event.retry) retry = Math.min(event.retry, LONGEST_PAUSE_MS);
        if (event.id !== undefined) lastId = event.id;
        const value = parsed(event.data);
        if (value === null) continue;
        wasThere = true;
        take(event.type, value);
        report("live");
      }
      return wasThere ? "ended" : "again";
    } catch {
      return "again"; // refused, cut off, silent for too long
    } finally {
      clearTimeout(silence);
      ending.signal.removeEventListener("abort", end);
    }
  }

  void (async () => {
    for (let failures = 0; !ending.signal.aborted; ) {
      const came = await once();
      if (ending.signal.aborted) return;
      if (came === "none") return report("none");
      failures = came === "ended" ? 0 : failures + 1;
      report(now() - heardAt >= staleAfter ? "stale" : "reconnecting");
      const pause = Math.min(retry * 2 ** Math.max(failures - 1, 0), LONGEST_PAUSE_MS);
      await rest(pause * (0.75 + Math.random() / 2), ending.signal);
    }
  })();
  return () => ending.abort();
}

/** Yield the events of a stream; a comment shows only that the other side lives. */
async function* events(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = { type: "message", data: "" };
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      heard();
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      if (rest.length > 16 * LONGEST_LINE) return;
      for (const line of lines) {
        if (line === "") {
          if (event.data || event.retry) yield event;
          event = { type: "message", data: "" };
          continue;
        }
        const [, field, text] = /^([^:]*):? ?(.*)$/s.exec(line);
        if (field === "event") event.type = text;
        else if (field === "data") event.data += (event.data && "\n") + text;
        else if (field === "id") event.id = text;
        else if (field === "retry" && /^\d+$/.test(text)) event.retry = Number(text);
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

const rest = (milliseconds, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });

const answering = (service) => (service?.url && service.ready !== false ? service : null);

const isSame = (a, b) =>
  a.url === b.url && a.port === b.port && a.phase === b.phase && a.ready === b.ready && a.source === b.source &&
  (a.source !== "live" || a.at === b.at) && a.urls.join(" ") === b.urls.join(" ");

function isAddress(url) {
  try {
    return typeof url === "string" && /^[a-z][a-z0-9+.-]*:\/\//.test(url) && Boolean(new URL(url));
  } catch {
    return false;
  }
}

/** Whether a URL leads to this machine: its port may be another one tomorrow. */
function isLocal(url) {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127\./.test(hostname);
}

function portOf(url) {
  if (!url) return null;
  const { port, protocol } = new URL(url);
  return Number(port) || { "http:": 80, "https:": 443 }[protocol] || null;
}

/** A path below a URL. A slash stands between them: `@other.example` behind a host would name another one. */
const joined = (url, path) => url.replace(/\/+$/, "") + (path.startsWith("/") ? path : `/${path}`);

function isDevelopment({ development }) {
  if (development !== undefined) return development;
  const built = import.meta.env?.DEV;
  if (typeof built === "boolean") return built;
  const page = globalThis.location?.href;
  if (page) return /^https?:/.test(page) && isLocal(page);
  return globalThis.process?.env?.NODE_ENV !== "production";
}

/** What the server of the page has written into it: <script type="application/json" id="devinit-addresses">. */
function fromPage() {
  const said = parsed(globalThis.document?.getElementById?.(IN_PAGE)?.textContent ?? "");
  return said && typeof said === "object" ? said : {};
}

function storageOf({ storage }) {
  return storage === undefined ? globalThis.localStorage : storage;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function timedOut(what, milliseconds) {
  const error = new Error(`${what} within ${milliseconds / 1000} s`);
  error.name = "TimeoutError";
  return error;
}
