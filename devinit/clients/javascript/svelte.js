// For Svelte 3 to 5: a client is a store (`$devinit.status`), and so is one service of it. Svelte is not imported.

/** A store of one service; null while nothing is known of it. */
export function serviceStore(devinit, name) {
  return {
    subscribe(run) {
      let before;
      return devinit.subscribe((state) => {
        const service = state.services[name] ?? null;
        if (service !== before) run((before = service));
      });
    },
  };
}
