// For Vue 3: a ref that follows a client for as long as its component, or its scope, lives.

import { computed, onScopeDispose, shallowRef } from "vue";

/** The state of a client. */
export function useDevinit(devinit) {
  const state = shallowRef(devinit.state);
  onScopeDispose(devinit.subscribe((now) => (state.value = now)));
  return state;
}

/** One service of a client; null while nothing is known of it. */
export function useService(devinit, name) {
  const state = useDevinit(devinit);
  return computed(() => state.value.services[name] ?? null);
}
