"""An unmodified hikari: hikari_bot.py <url> <token>"""

import asyncio
import sys

import hikari
from bot import follow, heard

url, token = sys.argv[1:]

INTENTS = (
    hikari.Intents.GUILDS
    | hikari.Intents.GUILD_MEMBERS
    | hikari.Intents.GUILD_MESSAGES
    | hikari.Intents.GUILD_MESSAGE_REACTIONS
    | hikari.Intents.MESSAGE_CONTENT
)


async def main():
    bot = hikari.GatewayBot(token, intents=INTENTS, rest_url=f"{url}/api/v10", banner=None, logs="ERROR")
    listed = asyncio.Queue()

    @bot.listen()
    async def on_ready(_: hikari.ShardReadyEvent):
        heard("READY")

    @bot.listen()
    async def on_resumed(_: hikari.ShardResumedEvent):
        heard("RESUMED")

    @bot.listen()
    async def on_message(event: hikari.GuildMessageCreateEvent):
        heard(event.content)

    @bot.listen()
    async def on_edit(event: hikari.GuildMessageUpdateEvent):
        heard(f"edited: {event.content}")

    @bot.listen()
    async def on_reaction(event: hikari.GuildReactionAddEvent):
        heard(f"reacted: {event.emoji_name}")

    @bot.listen()
    async def on_delete(_: hikari.GuildMessageDeleteEvent):
        heard("deleted")

    @bot.listen()
    async def on_members(event: hikari.MemberChunkEvent):
        if event.nonce == "asked":
            await listed.put(len(event.members))

    async def send(channel, content):
        return str((await bot.rest.create_message(int(channel), content)).id)

    async def edit(channel, id, content):
        await bot.rest.edit_message(int(channel), int(id), content)

    async def react(channel, id, emoji):
        await bot.rest.add_reaction(int(channel), int(id), emoji)

    async def delete(channel, id):
        await bot.rest.delete_message(int(channel), int(id))

    async def members(guild):
        await bot.request_guild_members(int(guild), nonce="asked")
        return await listed.get()

    async def cut():
        bot.shards[0]._ws._ws._response.connection.transport.abort()

    await bot.start()
    await follow(send=send, edit=edit, react=react, delete=delete, members=members, cut=cut)
    await bot.close()


asyncio.run(main())
