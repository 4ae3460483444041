"""The table of Node's development servers: the words that start them, and how each gets its port."""

from __future__ import annotations

from msgspec import Struct

from devinit.model.defaults import LOCAL_HOST
from devinit.sources.applications.unit import Role
from devinit.sources.commands.programs import PHONES

_PORT = "--port ${PORT}"
_HOST_AND_PORT = f"--host {LOCAL_HOST} {_PORT}"
_STRICT = f"{_HOST_AND_PORT} --strictPort"


class Tool(Struct, frozen=True, kw_only=True):
    """A program that serves."""

    kind: str
    port: int
    given: str = ""
    """Arguments that set its port; empty when it reads PORT."""
    commands: frozenset[str] = frozenset()
    """Subcommands that start a server; "" stands for none. If the set is empty, all of them do."""
    role: Role = Role.FRONTEND
    options: tuple[str, ...] = ("--port", "-p")
    """Its port options in a script."""
    last_wins: bool = False
    """Whether the last of several port options counts. Verified with each program."""
    is_server: bool = False
    """Whether code of the application runs in the server and may use databases."""
    env: dict[str, str] = {}


def _commands(*names: str) -> frozenset[str]:
    return frozenset(names)


# Vite listens on the first address of `localhost`, which may be ::1 alone, so it gets the address as an option.
# Next listens on every address; its HMR accepts localhost only while no host is given.
TOOLS: dict[str, Tool] = {
    "vite": Tool(
        kind="Vite", port=5173, given=_STRICT, commands=_commands("", "dev", "serve"), last_wins=True
    ),
    "next": Tool(
        kind="Next.js", port=3000, given=_PORT, commands=_commands("", "dev"), last_wins=True, is_server=True
    ),
    # Nuxt 2 serves without a subcommand.
    "nuxt": Tool(kind="Nuxt", port=3000, given=_HOST_AND_PORT, commands=_commands("", "dev"), is_server=True),
    "nuxt-ts": Tool(
        kind="Nuxt", port=3000, given=_HOST_AND_PORT, commands=_commands("", "dev"), is_server=True
    ),
    "nuxi": Tool(kind="Nuxt", port=3000, given=_HOST_AND_PORT, commands=_commands("dev"), is_server=True),
    "astro": Tool(
        kind="Astro", port=4321, given=_HOST_AND_PORT, commands=_commands("", "dev"), is_server=True
    ),
    "ng": Tool(
        kind="Angular",
        port=4200,
        given=_HOST_AND_PORT,
        commands=_commands("serve", "s", "dev"),
        # On first use it asks for permission to report usage, and waits for the answer.
        env={"NG_CLI_ANALYTICS": "false"},
    ),
    "react-scripts": Tool(
        kind="Create React App", port=3000, commands=_commands("start"), env={"BROWSER": "none"}
    ),
    "craco": Tool(kind="Create React App", port=3000, commands=_commands("start"), env={"BROWSER": "none"}),
    "react-app-rewired": Tool(
        kind="Create React App", port=3000, commands=_commands("start"), env={"BROWSER": "none"}
    ),
    "vue-cli-service": Tool(kind="Vue CLI", port=8080, given=_HOST_AND_PORT, commands=_commands("serve")),
    "react-router": Tool(
        kind="React Router", port=5173, given=_STRICT, commands=_commands("dev"), is_server=True
    ),
    "remix": Tool(kind="Remix", port=5173, given=_STRICT, commands=_commands("vite:dev"), is_server=True),
    "vinxi": Tool(kind="Vinxi", port=3000, given=_PORT, commands=_commands("dev"), is_server=True),
    "waku": Tool(kind="Waku", port=3000, given=_PORT, commands=_commands("dev"), is_server=True),
    "rsbuild": Tool(kind="Rsbuild", port=3000, given=_HOST_AND_PORT, commands=_commands("", "dev")),
    "webpack": Tool(kind="webpack", port=8080, given=_HOST_AND_PORT, commands=_commands("serve", "s")),
    "webpack-dev-server": Tool(kind="webpack", port=8080, given=_HOST_AND_PORT),
    "rspack": Tool(kind="Rspack", port=8080, given=_HOST_AND_PORT, commands=_commands("serve", "dev", "s")),
    "parcel": Tool(kind="Parcel", port=1234, given=_HOST_AND_PORT, commands=_commands("", "serve")),
    "gatsby": Tool(kind="Gatsby", port=8000, given=_HOST_AND_PORT, commands=_commands("develop")),
    "ember": Tool(kind="Ember", port=4200, given=_PORT, commands=_commands("serve", "s")),
    "quasar": Tool(kind="Quasar", port=9000, given=_PORT, commands=_commands("dev")),
    "sanity": Tool(kind="Sanity", port=3333, given=_HOST_AND_PORT, commands=_commands("dev")),
    "umi": Tool(kind="Umi", port=8000, commands=_commands("dev")),
    "http-server": Tool(kind="http-server", port=8080, given=f"-a {LOCAL_HOST} -p ${{PORT}}"),
    "live-server": Tool(
        kind="live-server", port=8080, given=f"--host={LOCAL_HOST} --port=${{PORT}} --no-browser"
    ),
    "nest": Tool(kind="NestJS", port=3000, commands=_commands("start"), role=Role.BACKEND, options=()),
    "wrangler": Tool(
        kind="Wrangler",
        port=8787,
        given=f"--ip {LOCAL_HOST} {_PORT}",
        commands=_commands("dev"),
        role=Role.BACKEND,
    ),
    "strapi": Tool(
        kind="Strapi", port=1337, commands=_commands("develop", "dev"), role=Role.BACKEND, options=()
    ),
    "json-server": Tool(
        kind="json-server", port=3000, given=f"--host {LOCAL_HOST} {_PORT}", role=Role.BACKEND
    ),
    "fastify": Tool(
        kind="Fastify",
        port=3000,
        given=f"--address {LOCAL_HOST} {_PORT}",
        commands=_commands("start"),
        role=Role.BACKEND,
    ),
}
"""Program → how it serves."""

RUNNERS = frozenset(
    {"node", "tsx", "nodemon", "ts-node", "ts-node-dev", "tsnd", "ts-node-esm", "bun", "deno", "swc-node"}
    | {"babel-node", "vite-node", "esno", "esrun", "node-dev"}
)
"""Programs that run a file: its code shows whether it is a server."""
RELOADERS = frozenset({"nodemon", "node-dev", "ts-node-dev", "tsnd"})
"""Those that restart when a file changes."""

BUILDERS = frozenset(
    {
        "tsup",
        "tsc",
        "tsc-watch",
        "vue-tsc",
        "rollup",
        "swc",
        "unbuild",
        "microbundle",
        "esbuild",
        "babel",
        "tsdown",
        "obuild",
    }
    | {
        "tailwindcss",
        "sass",
        "postcss",
        "ncc",
        "pkgroll",
        "bunchee",
        "svelte-package",
        "ng-packagr",
        "rslib",
        "wireit",
    }
)
"""Programs that build files which others serve or import."""

DOCUMENTATION: dict[str, Tool] = {
    "docusaurus": Tool(
        kind="Docusaurus", port=3000, given=f"{_HOST_AND_PORT} --no-open", commands=_commands("start")
    ),
    "vitepress": Tool(kind="VitePress", port=5173, given=_STRICT, commands=_commands("", "dev")),
    "vuepress": Tool(kind="VuePress", port=8080, given=_HOST_AND_PORT, commands=_commands("dev")),
    "storybook": Tool(
        kind="Storybook",
        port=6006,
        given=f"{_HOST_AND_PORT} --exact-port --no-open",
        commands=_commands("dev"),
    ),
    "start-storybook": Tool(kind="Storybook", port=6006, given=f"{_HOST_AND_PORT} --ci"),
    "mintlify": Tool(kind="Mintlify", port=3000, given=_PORT, commands=_commands("dev")),
    "eleventy": Tool(kind="Eleventy", port=8080, given=_PORT, commands=_commands("--serve")),
    "hexo": Tool(
        kind="Hexo", port=4000, given=f"-i {LOCAL_HOST} -p ${{PORT}}", commands=_commands("server", "s")
    ),
}
"""Program → how it serves a site of texts; it is left out beside any other program."""
DEVICES = (
    PHONES
    | {
        "electron": "Electron",
        "electron-vite": "Electron",
    }
    | {
        "electron-forge": "Electron",
        "tauri": "Tauri",
        "ionic": "Ionic",
        "wxt": "a browser extension",
        "plasmo": "a browser extension",
    }
)
"""Programs for applications that are no web pages, which are not started by default."""

SERVER_PACKAGES = {
    "@nestjs/core": "NestJS",
    "express": "Express",
    "fastify": "Fastify",
    "@hono/node-server": "Hono",
    "hono": "Hono",
    "koa": "Koa",
    "elysia": "Elysia",
    "@hapi/hapi": "hapi",
    "@apollo/server": "Apollo",
    "apollo-server": "Apollo",
    "graphql-yoga": "GraphQL Yoga",
    "@adonisjs/core": "AdonisJS",
    "@feathersjs/koa": "Feathers",
    "@feathersjs/express": "Feathers",
    "restify": "Restify",
    "polka": "Polka",
    "h3": "h3",
    "socket.io": "Socket.IO",
    "ws": "ws",
    "sails": "Sails",
    "@medusajs/medusa": "Medusa",
    "payload": "Payload",
}
"""Package that serves requests → its name, most specific first."""
PAGE_PACKAGES = frozenset(
    {"next", "vite", "@sveltejs/kit", "nuxt", "@remix-run/express", "@react-router/express"}
)
"""Packages by which the project's own server also serves pages."""
