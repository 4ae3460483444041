"""The guestbook's API: notes in PostgreSQL, a visit counter in Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, HTTPException, Path, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, StringConstraints
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app import settings
from app.health import Check, check_all
from app.models import Note

config = settings.load()
# Pinging a pooled connection before use lets a restarted PostgreSQL go unnoticed.
engine = create_async_engine(config.database_url, pool_pre_ping=True)
sessions = async_sessionmaker(engine, expire_on_commit=False)
redis = Redis.from_url(config.redis_url, decode_responses=True)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    await redis.aclose()
    await engine.dispose()


app = FastAPI(title="Guestbook", lifespan=lifespan)
app.add_middleware(
    CORSMiddleware,
    allow_origins=config.cors_origins,
    allow_methods=["GET", "POST", "DELETE"],
    allow_headers=["Content-Type"],
)


class NewNote(BaseModel):
    author: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    message: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=280)]
    paper: Literal["lemon", "rose", "sky", "mint", "lilac"] = "lemon"


class PinnedNote(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    author: str
    message: str
    paper: str
    created_at: datetime


class Health(BaseModel):
    status: Literal["ok", "down"]
    down: list[str]
    checks: dict[str, Check]


async def open_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(open_session)]


@app.get("/api/notes")
async def list_notes(session: Session) -> list[PinnedNote]:
    """Return the newest notes first."""
    notes = await session.scalars(select(Note).order_by(Note.id.desc()).limit(100))
    return [PinnedNote.model_validate(note) for note in notes]


@app.post("/api/notes", status_code=201)
async def pin_note(new: NewNote, session: Session) -> PinnedNote:
    """Pin a note to the wall."""
    note = Note(**new.model_dump())
    session.add(note)
    await session.commit()
    return PinnedNote.model_validate(note)


@app.delete("/api/notes/{note_id}", status_code=204)
async def take_note_down(note_id: Annotated[int, Path(le=2**31 - 1)], session: Session) -> None:
    """Take a note off the wall."""
    note = await session.get(Note, note_id)
    if note is None:
        raise HTTPException(404, f"there is no note {note_id}")
    await session.delete(note)
    await session.commit()


@app.get("/api/visits")
async def count_visits() -> dict[str, int]:
    """Return how often the page was opened."""
    return {"visits": int(await redis.get("visits") or 0)}


@app.post("/api/visits")
async def visit() -> dict[str, int]:
    """Count one more visit."""
    return {"visits": await redis.incr("visits")}


@app.get("/api/info")
async def info(request: Request) -> dict[str, object]:
    """Say where the backend listens and where it finds its two servers; never how it logs in."""
    host, port = request.scope["server"]
    postgres, cache = config.database_url, redis.connection_pool.connection_kwargs
    return {
        "backend": {"host": host, "port": port},
        "postgres": {"host": postgres.host, "port": postgres.port or 5432, "database": postgres.database},
        "redis": {"host": cache.get("host", "localhost"), "port": cache.get("port", 6379)},
        "allowed_origins": config.cors_origins,
    }


@app.get("/health")
async def health(response: Response) -> Health:
    """Answer 200 when PostgreSQL and Redis both answer, otherwise 503 and which of them does not."""
    checks = await check_all(engine, redis)
    down = [name for name, check in checks.items() if not check.up]
    response.status_code = 503 if down else 200
    return Health(status="down" if down else "ok", down=down, checks=checks)


# Named exceptions are answered inside the CORS middleware, so that the page may read the answer;
# anything else becomes a 500 outside it, which a browser reports as a mere network error.
@app.exception_handler(OSError)
@app.exception_handler(DBAPIError)
def postgres_is_away(_: Request, reason: OSError | DBAPIError) -> JSONResponse:
    cause = reason.orig if isinstance(reason, DBAPIError) else reason
    return JSONResponse({"detail": f"PostgreSQL could not answer: {cause}"}, status_code=503)


@app.exception_handler(RedisError)
def redis_is_away(_: Request, reason: RedisError) -> JSONResponse:
    return JSONResponse({"detail": f"Redis could not answer: {reason}"}, status_code=503)
