import type { Plugin } from "vite";

/** Serve /.well-known/devinit/ on the pages' own origin, and write the addresses of the moment into index.html. */
export default function devinit(options?: { start?: string; inject?: boolean }): Plugin;
