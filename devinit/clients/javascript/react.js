// For React 18 and newer: a component that is rendered again when an address changes.

import { useCallback, useSyncExternalStore } from "react";

/** The state of a client. */
export function useDevinit(devinit) {
  const listen = useCallback((changed) => devinit.listen(changed), [devinit]);
  const state = () => devinit.state;
  // A server, and the first picture of a page that it rendered, show what was there before anything was heard.
  return useSyncExternalStore(listen, state, () => devinit.initial);
}

/** One service of a client; null while nothing is known of it. */
export function useService(devinit, name) {
  return useDevinit(devinit).services[name] ?? null;
}
