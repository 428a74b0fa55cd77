"""
Reads a list of random guilds as JSON on standard input, as random-guilds.ts makes them, and writes what discord.py's
permissions_for says in each: the bits as a decimal string.
"""

import json
import sys
from datetime import timedelta
from typing import Any

import discord

GUILD, OWNER, CHANNEL = 100, 1, 200
ROLES = [300, 301, 302, 303]
SOON = (discord.utils.utcnow() + timedelta(days=1)).isoformat()

state: Any = discord.Client(intents=discord.Intents.none())._connection


def role(id: int, position: int, permissions: str) -> dict[str, Any]:
    return {
        "id": id, "name": str(id), "color": 0, "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False, "managed": False, "mentionable": False, "flags": 0, "position": position, "permissions": permissions,
    }


def permissions_in(one: dict[str, Any]) -> str:
    roles = [role(GUILD, 0, one["everyone"])]
    roles += [role(id, n + 1, one["given"][n]) for n, id in enumerate(ROLES)]
    guild = discord.Guild(data={"id": GUILD, "name": "guild", "owner_id": OWNER, "roles": roles}, state=state)
    place = {"id": CHANNEL, "type": 0, "name": "room", "position": 0, "permission_overwrites": one["overwrites"]}
    channel = discord.TextChannel(state=state, guild=guild, data=place)
    user = {"id": one["userId"], "username": "someone", "discriminator": "0", "avatar": None}
    until = SOON if one["isTimedOut"] else None
    data = {"user": user, "roles": one["has"], "flags": 0, "communication_disabled_until": until}
    member = discord.Member(data=data, guild=guild, state=state)
    return str(channel.permissions_for(member).value)


json.dump([permissions_in(one) for one in json.load(sys.stdin)], sys.stdout)
