"""Ask PostgreSQL and Redis themselves whether they are there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

from pydantic import BaseModel
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

PATIENCE_SECONDS = 2


class Check(BaseModel):
    up: bool
    milliseconds: float
    error: str | None


async def check_all(engine: AsyncEngine, redis: Redis) -> dict[str, Check]:
    postgres_check, redis_check = await asyncio.gather(check(ask_postgres(engine)), check(redis.ping()))
    return {"postgres": postgres_check, "redis": redis_check}


async def check(question: Awaitable[object]) -> Check:
    began = time.perf_counter()
    error = None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await question
    except TimeoutError:
        error = f"no answer within {PATIENCE_SECONDS} s"
    except Exception as reason:  # whatever a driver raises, the answer is "down, and this is why"
        error = str(reason) or type(reason).__name__
    return Check(up=error is None, milliseconds=round((time.perf_counter() - began) * 1000, 1), error=error)


async def ask_postgres(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
