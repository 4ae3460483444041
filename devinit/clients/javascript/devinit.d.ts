/** Where the services of a project answer now, and when that changes. */

export type Source = "given" | "live" | "injected" | "file" | "announced" | "stored" | "scanned" | "fallback";

/** `static`: nothing tells of changes, as in production; `stale`: nothing was heard for 30 s. */
export type Status = "connecting" | "live" | "reconnecting" | "stale" | "unreachable" | "static";

export interface Service {
  readonly name: string;
  /** "http://localhost:8001"; null while it has no address. */
  readonly url: string | null;
  /** Every address of it, the one of `url` first. */
  readonly urls: readonly string[];
  readonly port: number | null;
  /** "ready", "starting", "stopped" …; null where the source does not know. */
  readonly phase: string | null;
  /** Whether it answers; null where the source does not know. */
  readonly ready: boolean | null;
  readonly source: Source;
  /** Since when this is so: Unix time in seconds. */
  readonly at: number;
}

/** Replaced after each change, and never changed itself. */
export interface State {
  readonly status: Status;
  readonly services: Readonly<Record<string, Service>>;
  /** The most trusted source of any service; null while nothing is known. */
  readonly source: Source | null;
  readonly project: string | null;
  readonly at: number;
}

export type Address = string | { url: string };
export type Stop = () => void;

/** A source that tells by itself: the one of a page is made from `endpoint`. */
export interface LiveSource {
  /** A snapshot; null while there is no answer, undefined where there is no such source. */
  ask(timeout: number): Promise<unknown>;
  follow(
    take: (event: "snapshot" | "service", value: unknown) => void,
    report: (link: "live" | "reconnecting" | "stale" | "none") => void,
  ): Stop;
}

export interface Options {
  /** Addresses given by hand: they win until `reset`. */
  services?: Readonly<Record<string, Address>>;
  /** Addresses that the dev server has put in: `{ backend: import.meta.env.VITE_API_URL }`. */
  injected?: Readonly<Record<string, Address | undefined>>;
  /** The same by name, asked for when a service is. */
  inject?: (name: string) => string | undefined;
  /** Addresses that are believed when nothing else is known. */
  fallback?: Readonly<Record<string, Address>>;
  /** The name of the project: another one's answers do not count. Needed by `storage` and `scan`. */
  project?: string;
  /** Where the page asks; false: nowhere. Default: "/.well-known/devinit/" on its own origin, in development. */
  endpoint?: string | false;
  source?: LiveSource | null;
  /** Whether anything but `services`, `injected` and `fallback` counts. Default: as the build or the host says. */
  development?: boolean;
  /** Milliseconds that a source has for its answer. Default: 300. */
  timeout?: number;
  /** Milliseconds that `fetch` waits for a service that is on its way. Default: 10,000. */
  patience?: number;
  /** Seconds of silence after which what is known is stale. Default: 30. */
  staleAfter?: number;
  /** Where the last address is kept. Default: localStorage; null: nowhere. */
  storage?: Pick<Storage, "getItem" | "setItem"> | null;
  /** The path at which a stored address is tried. Default: "/health". */
  health?: string;
  /** Ports to try, by choice: only an answer `{"service": …, "project": …}` that names both is believed. */
  scan?: Readonly<Record<string, { ports: readonly [first: number, last: number]; path?: string }>>;
  fetch?: typeof fetch;
}

export interface Patience {
  /** Milliseconds. Default: 60,000. */
  timeout?: number;
  signal?: AbortSignal;
}

export interface Devinit {
  readonly state: State;
  /** The state before anything was heard. */
  readonly initial: State;
  /** Call a function with the state, now and after each change: the store contract of Svelte. */
  subscribe(listener: (state: State) => void): Stop;
  /** Call a function after each change. */
  listen(listener: (state: State) => void): Stop;
  onChange(name: string, listener: (now: Service | null, before: Service | null) => void): Stop;
  /** What is known without asking. */
  service(name: string): Service | null;
  /** Where a service answers; null when nothing says so, or it is not ready. */
  discover(name: string): Promise<(Service & { readonly url: string }) | null>;
  /** The same as soon as it answers. Rejects with an error named TimeoutError. */
  wait(name: string, patience?: Patience): Promise<Service & { readonly url: string }>;
  /** `fetch` from a service, wherever it is: a GET or HEAD that did not reach it is sent once more when it moved. */
  fetch(name: string, path?: string, init?: RequestInit): Promise<Response>;
  /** Say by hand where a service answers. */
  update(name: string, address: Address): void;
  /** Forget what was given by hand: of one service, or of all. */
  reset(name?: string): void;
  /** Take the output of a child program in pieces: its `port_info` lines count. */
  hear(text: string): void;
  close(): void;
}

export declare const ENDPOINT: "/.well-known/devinit/";
export declare function createDevinit(options?: Options): Devinit;
export declare function followEvents(
  url: string | URL,
  options: {
    fetch: typeof fetch;
    take: (event: string, value: any) => void;
    report: (link: "live" | "reconnecting" | "stale" | "none") => void;
    staleAfter?: number;
  },
): Stop;
