/** Generated nonsense on every op gets a refusal, an invalid session or a documented close code, never a crash. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawData } from 'ws';
import { commands } from '../../commands/features/index.ts';
import { type Api, type Channel, someName } from '../support/api.ts';
import { type Frame, GatewayClient } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';
import { expectCatalogued } from '../support/refusals.ts';

/** The close codes of docs/delivery.md, and 1009: the socket's own "message too big". */
const DOCUMENTED = new Set([1009, 4000, 4001, 4002, 4003, 4004, 4005, 4007, 4008, 4009, 4010, 4011, 4012, 4013, 4014]);
const OPS = [...Array.from({ length: 44 }, (_, op) => op), 99, 100, 101, 102, 103, 104, -1, 1.5, '2', null, {}];

interface World {
  instance: Instance;
  person: Api;
  channel: Channel;
}

/** A server of the suite that calls it, which must outlive its tests. */
const aWorld = (start: StartInstance): World => {
  const world = {} as World;
  beforeAll(async () => {
    world.instance = await start();
    world.person = world.instance.api.as(await world.instance.api.register(someName('mallory')));
    world.channel = (await world.person.createGuild('Frames')).channel;
  });
  afterAll(async () => {
    expect(world.instance?.server().alive()).toBe(true);
    await world.instance?.close();
  });
  return world;
};

/** @param runs for each op */
export const badFramesSuite = (start: StartInstance, runs = 4) =>
  describe('bad input over a socket', () => {
    const world = aWorld(start);

    const connect = (identified: boolean) =>
      identified
        ? GatewayClient.identified(world.instance.url, world.person.account!.token)
        : GatewayClient.connect(world.instance.url);

    /** Whether the server has dealt with what was written: it closed, or it answered a heartbeat written afterwards. */
    const settled = async (socket: GatewayClient): Promise<void> => {
      const before = socket.acks;
      socket.write(1, null);
      await socket.until(() => socket.acks > before || socket.closeCode !== undefined, 'an answer or a close');
    };

    const expectDocumented = (socket: GatewayClient, since: number, what: string) => {
      if (socket.closeCode !== undefined)
        expect(DOCUMENTED.has(socket.closeCode), `${what}: ${socket.closeCode}`).toBe(true);
      for (const frame of socket.frames.slice(since) as Frame[]) {
        if (frame.op === 101 && !frame.d.ok) expectCatalogued(frame.d.error, what);
        else expect([0, 1, 9, 10, 11, 101], what).toContain(frame.op);
      }
    };

    it.each([true, false])('in the d of any op gets a documented answer (identified: %s)', async (identified) => {
      let socket = await connect(identified);
      for (const op of OPS) {
        const values = fc.sample(fc.jsonValue({ maxDepth: 2 }), { numRuns: runs, seed: 7 });
        for (const d of values) {
          if (socket.closeCode !== undefined || socket.frames.length > 80) {
            await socket.cut();
            socket = await connect(identified);
          }
          const since = socket.frames.length;
          socket.write(op as number, d);
          await settled(socket);
          expectDocumented(socket, since, `op ${JSON.stringify(op)} with ${JSON.stringify(d)}`);
        }
      }
      await socket.cut();
    });

    it.each<[string, RawData | string, number]>([
      ['is not JSON', '{"op": 1', 4002],
      ['is JSON but no frame', '[1, 2]', 4002],
      ['has no op', '{}', 4002],
      ['has an op nobody knows', '{"op": 77, "d": null}', 4001],
      ['is of bytes that are no text', Buffer.from([0xff, 0x00, 0xfe]), 4002],
      ['is longer than a library may send', JSON.stringify({ op: 1, d: 'x'.repeat(4_096) }), 4002],
    ])('in a frame that %s closes the connection with its code', async (_, bytes, code) => {
      const socket = await connect(true);
      socket.socket.send(bytes as Buffer);
      expect(await socket.closed()).toBe(code);
    });

    it('in a command longer than 16 KiB does not end the server', async () => {
      const socket = await connect(true);
      socket.write(100, {
        id: 'long',
        type: 'message.send',
        channel_id: world.channel.id,
        content: 'x'.repeat(20_000),
      });
      await settled(socket);
      expectDocumented(socket, 0, 'a long command');
      await socket.cut();
    });

    it('in an identify closes the connection with the code of the mistake', async () => {
      const identify = async (d: unknown) => {
        const socket = await connect(false);
        socket.write(2, d);
        return socket.closed();
      };
      const properties = {};
      expect(await identify({ token: 'nonsense', intents: 0, properties })).toBe(4004);
      expect(await identify({ token: world.person.account!.token, intents: 2 ** 40, properties })).toBe(4013);
      expect(await identify({ token: world.person.account!.token, intents: 0, properties, shard: [2, 1] })).toBe(4010);
    });

    it('before an identify closes the connection with 4003, and a second identify with 4005', async () => {
      const early = await connect(false);
      early.write(100, { id: 'early', type: 'typing.start', channel_id: world.channel.id });
      expect(await early.closed()).toBe(4003);
      const twice = await connect(true);
      twice.identify(world.person.account!.token);
      expect(await twice.closed()).toBe(4005);
    });

    it('in a resume gets an invalid session that must not be resumed, or no session', async () => {
      const socket = await connect(true);
      const { session_id } = socket.session();
      await socket.cut();
      for (const d of [
        { session_id: 'nonsense', seq: 1 },
        { session_id, seq: 0 },
        { session_id, seq: 2 ** 52 },
      ]) {
        const again = await connect(false);
        again.write(6, { token: world.person.account!.token, ...d });
        await again.until((frames) => frames.some((frame) => frame.op === 9), 'op 9');
        expect(again.frames.find((frame) => frame.op === 9)!.d).toBe(false);
        await again.cut();
      }
      const stranger = await connect(false);
      stranger.write(6, { token: 'nonsense', session_id, seq: 1 });
      expect(await stranger.closed()).toBe(4004);
    });
  });

/** @param runs for each command */
export const badCommandsSuite = (start: StartInstance, runs = 16) =>
  describe('bad input over a socket', () => {
    const world = aWorld(start);

    it('in the fields of any command is refused under its id, or happens to be valid', async () => {
      let number = 0;
      const fields = fc.constantFrom(
        'channel_id',
        'guild_id',
        'message_id',
        'content',
        'embeds',
        'nonce',
        'name',
        'code',
        'emoji',
        'recipient_id',
        'application_id',
        'message_reference',
        'permission_overwrites',
        'max_age',
        '__proto__',
      );
      const value = fc.oneof(
        fc.jsonValue({ maxDepth: 1 }),
        fc.constant(world.channel.id),
        fc.constantFrom('x', '-1', '0', ''),
      );
      const socket = await GatewayClient.identified(world.instance.url, world.person.account!.token);
      for (const type of [...commands.map(({ type }) => type), 'message.shout', '', 'constructor']) {
        await fc.assert(
          fc.asyncProperty(fc.dictionary(fields, value), async (body) => {
            number += 1;
            const result = await socket.command({ ...body, type, id: `command-${number}` });
            if (!result.ok) expectCatalogued(result.error, `${type} ${JSON.stringify(body)}`);
          }),
          { numRuns: runs },
        );
      }
      expect(socket.closeCode).toBeUndefined();
      await socket.cut();
    });

    it.each([{}, true, ['x'], 5])('in fields that a command does not have changes nothing: %j', async (nonsense) => {
      const socket = await GatewayClient.identified(world.instance.url, world.person.account!.token);
      const done = async (type: string, fields: object) => {
        const { result, error } = await socket.command({ id: someName(type), type, ...fields });
        expect(error).toBeUndefined();
        return result as { readonly id: string };
      };
      // What the tests before have sent may have deleted the other channel.
      const { id: channel_id } = (await world.person.createGuild('Nonsense')).channel;
      const { id: message_id } = await done('message.send', { channel_id, content: 'cleared' });
      await done('reaction.clear', { channel_id, message_id, emoji: nonsense });
      const { id: threadId } = await done('thread.create', { channel_id, kind: 11, name: 'joined' });
      await done('thread.join', { channel_id: threadId, user_id: nonsense });
      await socket.cut();
    });
  });
