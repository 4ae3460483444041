import type { Devinit, Service, State } from "./devinit.js";

export declare function useDevinit(devinit: Devinit): State;
export declare function useService(devinit: Devinit, name: string): Service | null;
