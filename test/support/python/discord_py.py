"""An unmodified discord.py: discord_py.py <url> <token>"""

import asyncio
import json
import sys
import urllib.request

import discord
import yarl
from bot import follow, heard

url, token = sys.argv[1:]

# It has no settings for these two.
discord.http.Route.BASE = f"{url}/api/v10"
with urllib.request.urlopen(f"{url}/api/v10/gateway") as answer:
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(json.load(answer)["url"])


class Bot(discord.Client):
    async def on_ready(self):
        heard("READY")

    async def on_resumed(self):
        heard("RESUMED")

    async def on_message(self, message):
        heard(message.content)

    async def on_message_edit(self, _, message):
        heard(f"edited: {message.content}")

    async def on_reaction_add(self, reaction, _):
        heard(f"reacted: {reaction.emoji}")

    async def on_message_delete(self, _):
        heard("deleted")


async def main():
    intents = discord.Intents(guilds=True, members=True, guild_messages=True, guild_reactions=True, message_content=True)
    # After its last guild it waits for one more before it is ready.
    bot = Bot(intents=intents, guild_ready_timeout=0.1)

    def message(channel, id):
        return bot.get_channel(int(channel)).get_partial_message(int(id))

    async def send(channel, content):
        return str((await bot.get_channel(int(channel)).send(content)).id)

    async def edit(channel, id, content):
        await message(channel, id).edit(content=content)

    async def react(channel, id, emoji):
        await message(channel, id).add_reaction(emoji)

    async def delete(channel, id):
        await message(channel, id).delete()

    async def members(guild):
        return len(await bot.get_guild(int(guild)).chunk())

    async def cut():
        bot.ws.socket._response.connection.transport.abort()

    async with bot:
        running = asyncio.create_task(bot.start(token))
        following = asyncio.create_task(
            follow(send=send, edit=edit, react=react, delete=delete, members=members, cut=cut)
        )
        await asyncio.wait([running, following], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running


asyncio.run(main())
