import type { Devinit, Options, Service, Stop } from "./devinit.js";

export * from "./devinit.js";

export interface NodeOptions extends Options {
  /** A folder of the project. Default: the current one. */
  start?: string;
  /** Default: process.env. */
  environment?: Readonly<Record<string, string | undefined>>;
}

/** What is said of a project. */
export interface Snapshot {
  project: string | null;
  services: Record<string, Omit<Service, "source"> & { source?: "file" }>;
}

/** A project that is followed while there are followers. */
export interface Project {
  readonly value: Snapshot | null;
  follow(take: (event: "snapshot" | "service", value: any, id: string) => void, after?: string): Stop;
  ask(timeout?: number): Promise<Snapshot | null>;
}


/** The client for Node: it also asks the project's supervisor, discovery files and the environment. */
export declare function createDevinit(options?: NodeOptions): Devinit;
export declare function watchProject(start?: string): Project;
/** A request handler for Connect, Express and node:http. */
export declare function createHandler(project?: Project): (request: any, response: any, next?: () => void) => void;
export declare function fromFiles(start?: string): Snapshot["services"];
export declare function fromStatus(status: { project: string; services: any[] }): Snapshot;
