import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandRefused } from './commands.ts';
import { connect, type Session, SessionEnded } from './session.ts';
import { FakeGateway } from './testing.ts';

describe('a session of the client', () => {
  let gateway: FakeGateway;
  let session: Session;

  const open = async (more: Partial<Parameters<typeof connect>[0]> = {}) => {
    session = connect({ url: gateway.url, token: 'secret', maxBackoffMs: 20, ...more });
    await once(session, more.session === undefined ? 'ready' : 'resumed');
    return session;
  };
  const say = (content: string, id?: string) =>
    session.send({ type: 'message.send', channel_id: '5', content, ...(id === undefined ? {} : { id }) });
  const answer = (id: string, n: number) =>
    gateway.send(101, { id, ok: true, position: n, stream: 'channel-5', sequence: n, result: { id: String(n) } });

  beforeEach(async () => {
    gateway = await FakeGateway.start();
  });
  afterEach(async () => {
    session?.close();
    await gateway.close();
  });

  it('identifies, becomes ready and reports its position', async () => {
    await open({ intents: 513 });
    expect(gateway.ofOp(2)).toMatchObject([{ token: 'secret', intents: 513 }]);
    expect(session.connected).toBe(true);
    gateway.dispatch('MESSAGE_CREATE', { content: 'x' }, 42);
    const [message, s] = await once(session.events, 'MESSAGE_CREATE');
    expect([message.content, s]).toEqual(['x', 42]);
    expect(session.session).toMatchObject({ id: 'session-1', seq: 42 });
  });

  it('passes on every packet as it came, in order', async () => {
    session = connect({ url: gateway.url, token: 'secret' });
    const packets: (string | number)[] = [];
    session.on('packet', ({ op, t, s }) => packets.push(t === null ? op : `${t}:${s}`));
    await once(session, 'ready');
    for (const s of [1, 2, 2, 3]) gateway.dispatch('SOMETHING_NEW', {}, s);
    await expect.poll(() => packets.length).toBe(6);
    expect(packets).toEqual([
      10,
      'READY:0',
      'SOMETHING_NEW:1',
      'SOMETHING_NEW:2',
      'SOMETHING_NEW:2',
      'SOMETHING_NEW:3',
    ]);
  });

  it("sends commands without waiting, and returns each one's own answer", async () => {
    await open();
    const outcomes = ['a', 'b', 'c'].map((content) => say(content));
    await expect.poll(() => gateway.ofOp(100).length).toBe(3);
    const sent = gateway.ofOp(100);
    expect(sent.map((d) => [d.type, d.channel_id, d.content])).toEqual([
      ['message.send', '5', 'a'],
      ['message.send', '5', 'b'],
      ['message.send', '5', 'c'],
    ]);
    expect(new Set(sent.map((d) => d.id)).size).toBe(3);
    for (const n of [2, 0, 1]) answer(sent[n].id, n);
    expect((await Promise.all(outcomes)).map((result) => result.sequence)).toEqual([0, 1, 2]);
    expect(session.unanswered).toBe(0);
  });

  it("reports a refusal as an error with the catalogue's code", async () => {
    await open();
    const outcome = say('x', 'id-1').catch((error: unknown) => error);
    await expect.poll(() => gateway.ofOp(100).length).toBe(1);
    gateway.send(101, { id: 'id-1', ok: false, error: { code: 50013, message: 'no', retry_after: 2 } });
    const refused = await outcome;
    expect(refused).toBeInstanceOf(CommandRefused);
    expect(refused).toMatchObject({ code: 50013, message: 'no', retryAfter: 2 });
  });

  it('refuses the id of a command that is still waiting', async () => {
    await open();
    say('x', 'id-1').catch(() => undefined);
    expect(() => say('x', 'id-1')).toThrow('id-1');
  });

  it('resumes after the connection breaks, and repeats unanswered commands in order with the same ids', async () => {
    await open();
    gateway.dispatch('MESSAGE_CREATE', {}, 7);
    await once(session.events, 'MESSAGE_CREATE');
    const outcomes = ['one', 'two', 'three'].map((id) => say('x', id));
    await expect.poll(() => gateway.ofOp(100).length).toBe(3);
    answer('two', 2);
    await outcomes[1];
    session.cut();
    const [reason] = await once(session, 'disconnected');
    expect(reason).toMatchObject({ code: 1006, resumes: true });
    const late = say('x', 'four');
    await once(session, 'resumed');
    expect(gateway.ofOp(6)).toEqual([{ token: 'secret', session_id: 'session-1', seq: 7 }]);
    await expect.poll(() => gateway.ofOp(100).length).toBe(6);
    expect(gateway.ofOp(100).map((d) => d.id)).toEqual(['one', 'two', 'three', 'one', 'three', 'four']);
    for (const id of ['one', 'three', 'four']) answer(id, 1);
    await Promise.all([...outcomes, late]);
  });

  it('continues where another process stopped', async () => {
    await open({ session: { id: 'old', seq: 99 } });
    expect(gateway.ofOp(6)).toEqual([{ token: 'secret', session_id: 'old', seq: 99 }]);
    expect(gateway.ofOp(2)).toEqual([]);
    expect(session.close()).toEqual({ id: 'old', seq: 99 });
  });

  it('resumes when the server asks it to reconnect', async () => {
    await open();
    gateway.send(7);
    await once(session, 'resumed');
    expect(gateway.connections).toBe(2);
  });

  it('starts again when the server no longer knows the session, and repeats its commands there', async () => {
    await open();
    say('x', 'kept').catch(() => undefined);
    await expect.poll(() => gateway.ofOp(100).length).toBe(1);
    gateway.send(9, false);
    await once(session, 'ready');
    expect(session.session).toMatchObject({ id: 'session-2', seq: 0 });
    await expect.poll(() => gateway.ofOp(100).map((d) => d.id)).toEqual(['kept', 'kept']);
  });

  it.each([4003, 4007, 4008, 1000])('starts again after close code %i', async (code) => {
    await open();
    gateway.socket.close(code);
    await once(session, 'ready');
    expect([gateway.ofOp(2).length, gateway.ofOp(6).length]).toEqual([2, 0]);
  });

  it.each([1001, 1012, 4000, 4002, 4009])('resumes after close code %i', async (code) => {
    await open();
    gateway.socket.close(code);
    await once(session, 'resumed');
    expect(gateway.ofOp(6)).toHaveLength(1);
  });

  it('ends after a close code that forbids a retry, and rejects what is waiting', async () => {
    await open();
    const outcome = say('x');
    const ended = once(session, 'ended');
    gateway.socket.close(4004, 'Authentication failed.');
    await expect(outcome).rejects.toBeInstanceOf(SessionEnded);
    expect((await ended)[0]).toMatchObject({ code: 4004 });
    await expect(say('y')).rejects.toMatchObject({ code: 4004 });
    expect(gateway.connections).toBe(1);
  });

  it('ends when its owner closes it', async () => {
    await open();
    const outcome = say('x');
    const saved = session.close();
    await expect(outcome).rejects.toBeInstanceOf(SessionEnded);
    expect(saved).toMatchObject({ id: 'session-1', seq: 0 });
    expect(session.close()).toEqual(saved);
  });

  it('beats with its last s, answers requested beats, and gives up a connection that does not answer', async () => {
    await gateway.close();
    gateway = await FakeGateway.start({ heartbeatMs: 20 });
    await open();
    gateway.dispatch('MESSAGE_CREATE', {}, 11);
    await expect.poll(() => gateway.beats).toContain(11);
    gateway.send(1);
    gateway.acknowledgesBeats = false;
    await once(session, 'disconnected');
    gateway.acknowledgesBeats = true;
    await once(session, 'resumed');
    expect(gateway.ofOp(6)).toMatchObject([{ seq: 11 }]);
  });

  it('retries until there is a server', async () => {
    const { url } = gateway;
    await gateway.close();
    session = connect({ url, token: 'secret', maxBackoffMs: 20 });
    await once(session, 'disconnected');
    gateway = await FakeGateway.start({ port: Number(new URL(url).port) });
    await once(session, 'ready');
  });
});
