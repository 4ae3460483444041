"""Tell the language of a program by its name or its image. Pure."""

from __future__ import annotations

import re

_OF_NODE = frozenset(
    {"node", "npm", "pnpm", "yarn", "bun", "npx", "bunx", "deno", "tsx", "ts-node", "ts-node-dev", "nodemon"}
    | {"vite", "next", "nuxt", "nuxi", "astro", "ng", "nest", "remix", "gatsby", "expo", "react-scripts"}
    | {"vue-cli-service", "webpack", "webpack-dev-server", "rsbuild", "parcel", "esbuild", "tsc", "tsup"}
    | {"turbo", "nx", "lerna", "wsrun", "svelte-kit", "storybook", "tailwindcss", "sass", "react-router"}
)
_OF_PYTHON = frozenset(
    {"uvicorn", "gunicorn", "hypercorn", "granian", "daphne", "flask", "fastapi", "litestar", "celery", "rq"}
    | {"arq", "dramatiq", "huey_consumer", "taskiq", "manage.py", "streamlit", "mkdocs", "alembic"}
    | {"waitress-serve"}
)
_OF_RUBY = frozenset({"rails", "puma", "rackup", "sidekiq", "rake", "bundle", "ruby"})
_OF_PHP = frozenset({"php", "artisan", "composer"})
_BY_ENDING = {
    ".py": "python", ".rb": "ruby", ".php": "php", ".js": "node", ".mjs": "node", ".cjs": "node", ".ts": "node",
}  # fmt: skip
_PYTHON = re.compile(r"python[\d.]*")


def language_of(program: str) -> str:
    """Return the language of a program by its name or its file, such as `python`; "" when neither shows it."""
    name = program.rpartition("/")[2]
    named = {"node": _OF_NODE, "python": _OF_PYTHON, "ruby": _OF_RUBY, "php": _OF_PHP}
    for language, names in named.items():
        if name in names:
            return language
    if _PYTHON.fullmatch(name):
        return "python"
    return next((language for ending, language in _BY_ENDING.items() if name.endswith(ending)), "")


def language_of_image(name: str) -> str:
    """Return the language of a container image by its name: `python:3.12-slim` is for Python."""
    plain = name.partition("@")[0].lower().rpartition("/")[2].partition(":")[0]
    return plain if plain in ("python", "node", "ruby", "php") else ""
