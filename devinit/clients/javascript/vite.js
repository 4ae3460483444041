// A plugin for Vite's dev server: pages find /.well-known/devinit/ on their own origin, and begin with the addresses
// of the moment in which they are loaded. It does nothing in a build.

import { createHandler, ENDPOINT, watchProject } from "./node.js";

const ANSWER_MS = 2_000; // it is busy while it bundles for the first time; without a project the answer comes at once

/** @returns {import("vite").Plugin} */
export default function devinit({ start, inject = true } = {}) {
  let project = null;
  return {
    name: "devinit",
    apply: "serve",
    configureServer(server) {
      project = watchProject(start ?? server.config.root);
      server.middlewares.use(ENDPOINT.replace(/\/$/, ""), createHandler(project));
    },
    async transformIndexHtml() {
      const known = inject && project ? await project.ask(ANSWER_MS) : null;
      const addresses = Object.fromEntries(
        Object.values(known?.services ?? {})
          .filter((each) => each.ready && /^https?:/.test(each.url ?? ""))
          .map((each) => [each.name, each.url]),
      );
      if (Object.keys(addresses).length === 0) return [];
      // A block of data, which is not run; `<` would end it.
      const children = JSON.stringify(addresses).replaceAll("<", "\\u003c");
      return [{ tag: "script", attrs: { type: "application/json", id: "devinit-addresses" }, children, injectTo: "head-prepend" }];
    },
  };
}
