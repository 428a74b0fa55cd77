import { afterEach, describe, expect, it } from 'vitest';
import type { AppendRequest, EventLog } from '../log/port.ts';
import { channelStream } from '../schemas/streams.ts';
import { Instance } from '../test/support/write-side.ts';
import type { CommandContext } from './port.ts';
import { refusal, right } from './testing.ts';

let instance: Instance;
afterEach(() => instance.close());

/** A log that can hold back all appends to one stream until they are released. */
class SlowLog {
  stream = '';
  private go = (): void => {};
  private going: Promise<void> = Promise.resolve();
  /** Resolves when an append is waiting. */
  waits = Promise.resolve();

  hold(stream: string): void {
    this.stream = stream;
    this.going = new Promise((resolve) => {
      this.go = resolve;
    });
    this.waits = new Promise((resolve) => {
      this.held = resolve;
    });
  }

  release(): void {
    this.go();
  }

  readonly for = (log: EventLog): EventLog =>
    Object.create(log, {
      append: {
        value: async (request: AppendRequest) => {
          if (request.stream === this.stream) {
            this.held();
            await this.going;
          }
          return log.append(request);
        },
      },
    }) as EventLog;

  private held = (): void => {};
}

describe('a queued command', () => {
  it('is refused if its author left while it waited, and its neighbour is not', async () => {
    const slow = new SlowLog();
    instance = await Instance.open({ logFor: slow.for });
    const [ann, ben, eve] = [
      await instance.register('ann'),
      await instance.register('ben'),
      await instance.register('eve'),
    ];
    const guild = await instance.guild(ann);
    await instance.join(ann, guild.channel, ben, eve);
    slow.hold(channelStream(guild.channel));
    const first = instance.send(ann, guild.channel, 'first');
    await slow.waits;
    // Both are queued and prepared. Then one author leaves, and the leave is acknowledged.
    const [left, stays] = [instance.send(ben, guild.channel, 'left'), instance.send(eve, guild.channel, 'stays')];
    await instance.do(ben, 'guild.leave', { guild_id: guild.id });
    const acknowledged = performance.now();
    await expect.poll(() => performance.now() - acknowledged).toBeGreaterThan(100);
    slow.release();
    right(await first);
    expect(refusal(await left)).toBe('unknownChannel');
    right(await stays);
    expect(await instance.events('message-posted')).toHaveLength(2);
  });
});

describe('submitting fields that do not fit', () => {
  it('is refused with the names of those fields, and an unknown type with the list of types', async () => {
    instance = await Instance.open();
    const ann = await instance.register('ann');
    const context: CommandContext = {
      actor: { userId: ann, kind: 'person', administrator: false },
      key: 'k',
      counted: false,
      correlationId: 'c',
    };
    const { bus } = instance.write;
    const wrong = await bus.submit(context, 'message.send', { channel_id: 'x' });
    expect(wrong.outcome).toMatchObject({ left: { name: 'invalidForm', errors: { channel_id: {} } } });
    const unknown = await bus.submit(context, 'message.shout', {});
    expect(unknown.outcome).toMatchObject({ left: { name: 'invalidForm', errors: { type: {} } } });
    expect(JSON.stringify(unknown.outcome)).toContain('message.send');
    expect(await instance.events('message-posted')).toEqual([]);
  });
});
