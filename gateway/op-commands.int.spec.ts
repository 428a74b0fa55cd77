/** Op 100 and op 101. */

import { either } from 'fp-ts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Submitted } from '../commands/port.ts';
import { parleyError } from '../schemas/errors.ts';
import type { GatewayClient } from '../test/support/gateway-client.ts';
import { FakeBus, type Station, World } from './testing.ts';

describe('a command over the socket', () => {
  let world: World;
  let station: Station;
  let client: GatewayClient;

  beforeAll(async () => {
    world = await World.open();
    world.story.user('1');
    world.story.user('3', 'bot', '1');
    station = await world.station({ commandsInFlight: 4 });
    client = await station.identified('1');
  });
  afterAll(() => world.close());
  afterEach(() => {
    world.bus.submitted.length = 0;
    world.bus.answer = new FakeBus().answer;
    station.counters.refusals.length = 0;
  });

  it('is submitted by its sender with its id as key, and answered with its position', async () => {
    const result = await client.command({ id: 'a', type: 'message.send', channel_id: '5', content: 'hello' });
    expect(result).toEqual({
      id: 'a',
      ok: true,
      position: 7,
      stream: 'channel-1',
      sequence: 3,
      result: { token: null },
    });
    expect(world.bus.submitted).toMatchObject([
      {
        context: {
          actor: { userId: '1', kind: 'person', administrator: true },
          key: 'a',
          counted: false,
        },
        type: 'message.send',
        fields: { channel_id: '5', content: 'hello' },
      },
    ]);
  });

  it('says why in `audit_log_reason`, which is no field of the command', async () => {
    const given = { id: 'r', type: 'message.delete', channel_id: '5', message_id: '6', audit_log_reason: 'spam' };
    await client.command(given);
    const [submitted] = world.bus.submitted;
    expect(submitted).toMatchObject({ context: { reason: 'spam' } });
    expect(submitted!.fields).not.toHaveProperty('audit_log_reason');
    const tooLong = await client.command({ ...given, audit_log_reason: 'a'.repeat(513) });
    expect(tooLong.error).toMatchObject({ code: 50035, errors: { audit_log_reason: { _errors: [{}] } } });
  });

  it('hands on the fields of the command alone, `kind` as the `type` of the command', async () => {
    const fields = { channel_id: '5', overwrite_id: '6', allow: '0', deny: '8' };
    await client.command({ id: 'k', type: 'overwrite.set', kind: 1, traceparent: 'x', ...fields });
    expect(world.bus.submitted.map((one) => one.fields)).toEqual([{ ...fields, type: 1 }]);
  });

  it('of a bot is submitted as the bot', async () => {
    const bot = await station.identified('3');
    await bot.command({ type: 'typing.start', channel_id: '5' });
    expect(world.bus.submitted[0]!.context.actor).toEqual({ userId: '3', kind: 'bot', administrator: false });
    await bot.cut();
  });

  it("is answered with the catalogue's error when the bus refuses it", async () => {
    const refusal: Submitted = {
      outcome: either.left(parleyError('rateLimited', { retryAfter: 2.5 })),
      limit: undefined,
    };
    world.bus.answer = async () => refusal;
    const result = await client.command({ id: 'b', type: 'typing.start', channel_id: '5' });
    expect(result).toEqual({
      id: 'b',
      ok: false,
      error: { code: 0, message: 'You are being rate limited.', retry_after: 2.5, global: false },
    });
    expect(station.counters.refusals).toEqual(['rateLimited']);
  });

  it('is answered when it fails, and the socket stays open', async () => {
    world.bus.answer = async () => {
      throw new Error('nothing works');
    };
    const result = await client.command({ type: 'typing.start', channel_id: '5' });
    expect(result.error).toMatchObject({ code: 0, message: 'Internal Server Error' });
    expect(client.closeCode).toBeUndefined();
  });

  it.each([
    ['of an unknown type', { type: 'message.shout' }, 'type'],
    ['of a type that only looks like one', { type: 'constructor' }, 'type'],
    ['without its fields', { type: 'message.send', content: 'x' }, 'channel_id'],
    ['with a field that does not fit', { type: 'message.send', channel_id: 'x' }, 'channel_id'],
    ['whose kind does not fit', { type: 'overwrite.set', channel_id: '5', overwrite_id: '6', kind: 7 }, 'kind'],
  ])('%s is refused under its id with the field named', async (_, body, field) => {
    const result = await client.command({ id: 'c', ...body });
    expect(result).toMatchObject({ id: 'c', ok: false, error: { code: 50035, errors: { [field]: {} } } });
    expect(world.bus.submitted).toEqual([]);
  });

  it.each([[undefined], [''], ['x'.repeat(65)], [5], ['a\0'], ['\ud800']])(
    'is refused without an id of 1 to 64 characters that a store keeps (%j)',
    async (id) => {
      const before = client.frames.length;
      client.write(100, { id, type: 'typing.start', channel_id: '5' });
      await client.until((frames) => frames.length > before, 'an answer');
      expect(client.frames.at(-1)).toMatchObject({
        op: 101,
        d: { id: null, ok: false, error: { code: 50035, errors: { id: {} } } },
      });
    },
  );

  it.each([
    ['nests too deeply', `[${'['.repeat(4_080)}${']'.repeat(4_080)}]`],
    ['would change a prototype', '[{"__proto__": {}}]'],
  ])('is refused under its id if it %s, with the field named', async (_, embeds) => {
    const before = client.frames.length;
    const d = `{"id": "deep", "type": "message.send", "channel_id": "5", "content": "x", "embeds": ${embeds}}`;
    client.socket.send(`{"op": 100, "d": ${d}}`);
    await client.until((frames) => frames.length > before, 'an answer');
    expect(client.frames.at(-1)).toMatchObject({
      op: 101,
      d: { id: 'deep', ok: false, error: { code: 50035, errors: { embeds: {} } } },
    });
    expect(world.bus.submitted).toEqual([]);
  });

  it.each([
    ['the longest', 2_000, true],
    ['a longer', 3_000, false],
  ])('takes %s message that escapes each character, or refuses it under its id', async (_, length, ok) => {
    const before = client.frames.length;
    const frame = JSON.stringify({
      op: 100,
      d: { id: 'long', type: 'message.send', channel_id: '5', content: 'HERE' },
    });
    client.socket.send(frame.replace('HERE', '\\ud83d\\ude00'.repeat(length)));
    await client.until((frames) => frames.length > before, 'an answer');
    expect(client.frames.at(-1)).toMatchObject({ op: 101, d: { id: 'long', ok } });
  });

  it('is submitted in the order sent', async () => {
    const ids = ['1', '2', '3', '4'];
    await Promise.all(ids.map((id) => client.command({ id, type: 'typing.start', channel_id: '5' })));
    expect(world.bus.submitted.map(({ context }) => context.key)).toEqual(ids);
  });

  it('is refused with a time to retry when too many are in progress', async () => {
    let finish = (): void => {};
    const answer = world.bus.answer;
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    world.bus.answer = async () => {
      await held;
      return answer();
    };
    const sent = Array.from({ length: 5 }, () => client.command({ type: 'typing.start', channel_id: '5' }));
    expect((await sent[4])!.error).toMatchObject({ retry_after: 1 });
    finish();
    expect((await Promise.all(sent.slice(0, 4))).every((result) => result.ok)).toBe(true);
    expect((await client.command({ type: 'typing.start', channel_id: '5' })).ok).toBe(true);
  });

  it("does not count against the budget of Discord's opcodes", async () => {
    for (let i = 0; i < 150; i += 1) await client.command({ type: 'typing.start', channel_id: '5' });
    expect(client.closeCode).toBeUndefined();
  });
});
