import type { Ref } from "vue";
import type { Devinit, Service, State } from "./devinit.js";

export declare function useDevinit(devinit: Devinit): Readonly<Ref<State>>;
export declare function useService(devinit: Devinit, name: string): Readonly<Ref<Service | null>>;
