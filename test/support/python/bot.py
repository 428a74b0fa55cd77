"""
What the bots have in common. Commands come as lines of JSON on standard input, [number, verb, ...arguments], and each is
answered by a line [number, result] or [number, null, error]. What a library hears is a line ["heard", what].
"""

import asyncio
import json
import sys
import traceback
from typing import Any, Awaitable, Callable


def tell(*line: Any) -> None:
    print(json.dumps(line), flush=True)


def heard(what: str) -> None:
    tell("heard", what)


async def follow(**verbs: Callable[..., Awaitable[Any]]) -> None:
    """Carries out the commands, one after the other, until standard input ends."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async for line in lines:
        number, verb, *arguments = json.loads(line)
        try:
            tell(number, await verbs[verb](*arguments))
        except Exception:
            tell(number, None, traceback.format_exc())
