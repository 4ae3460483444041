import type { Devinit, Service, Stop } from "./devinit.js";

export declare function serviceStore(
  devinit: Devinit,
  name: string,
): { subscribe(run: (service: Service | null) => void): Stop };
