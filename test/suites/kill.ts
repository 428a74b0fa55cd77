/** Kills a server with -9 at random moments under load: acknowledged messages remain, and everybody hears each once. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Api, type Channel, joined, someName, wholeHistory } from '../support/api.ts';
import type { Instance, StartInstance } from '../support/instance.ts';
import { PipelinedSender } from '../support/pipelined-sender.ts';
import { replayStream } from '../support/replay.ts';
import { Subscriber } from '../support/subscriber.ts';
import { Watched } from '../support/watched.ts';

const SENDERS = 20;
const SUBSCRIBERS = 4;
const WINDOW = 16;

/** @param kills how often everything is killed */
export const killSuite = (start: StartInstance, kills: number) =>
  describe(`a server under ${SENDERS} pipelining senders, killed with -9 ${kills} times at random moments`, () => {
    let instance: Instance;
    let owner: Api;
    let channel: Channel;
    let senders: PipelinedSender[];
    let subscribers: Subscriber[];
    let events: Awaited<ReturnType<typeof replayStream>>;
    const progress = new Watched();

    const acknowledged = () => senders.reduce((sum, sender) => sum + sender.acknowledged.size, 0);

    beforeAll(async () => {
      instance = await start();
      owner = instance.api.as(await instance.api.register(someName('owner')));
      const guild = await owner.createGuild('Killed');
      channel = guild.channel;
      const people = await joined(owner, guild, 'sender', SENDERS);
      const listeners = await joined(owner, guild, 'listener', SUBSCRIBERS);
      const changed = () => progress.changed();
      subscribers = listeners.map((account) => new Subscriber(instance.url, account, changed));
      for (const subscriber of subscribers) await subscriber.start();

      senders = people.map(
        (account) =>
          new PipelinedSender({
            bases: [instance.url],
            account,
            channelId: channel.id,
            window: WINDOW,
            onAcknowledged: changed,
          }),
      );
      const running = Promise.all(senders.map((sender) => sender.run()));
      running.catch((error) => progress.fail(error));
      for (let kill = 0; kill < kills; kill += 1) {
        const moment = acknowledged() + 1 + Math.floor(Math.random() * 300);
        await progress.until(() => acknowledged() >= moment, `${moment} acknowledgements, there are ${acknowledged()}`);
        await instance.restart();
      }
      for (const sender of senders) sender.stop();
      await running;
      events = await replayStream(owner, `channel-${channel.id}`);
      const posted = events.filter((event) => event.type === 'message-posted').length;
      for (const subscriber of subscribers) {
        await progress.until(
          () => subscriber.messages.length >= posted,
          () => `${posted} messages at a subscriber, which has ${subscriber.messages.length}`,
        );
      }
    }, 180_000);

    afterAll(async () => {
      for (const sender of senders ?? []) sender.abandon();
      for (const subscriber of subscribers ?? []) subscriber.stop();
      await instance?.close();
    });

    const posted = () => events.filter((event) => event.type === 'message-posted');

    it('refuses nothing, and resumes every session', () => {
      expect(senders.map((sender) => sender.invalidSessions)).toEqual(senders.map(() => 0));
      expect(senders.flatMap((sender) => sender.refused)).toEqual([]);
    });

    it('keeps every acknowledged message exactly once, at its acknowledged position', () => {
      const logged = posted().map((event) => `${event.data.messageId} at ${event.sequence}`);
      const promised = senders.flatMap((sender) =>
        [...sender.acknowledged.values()].map(({ messageId, sequence }) => `${messageId} at ${sequence}`),
      );
      expect(logged).toHaveLength(promised.length);
      expect(new Set(logged)).toEqual(new Set(promised));
    });

    it('has dense sequences and ordinals', () => {
      expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index + 1));
      expect(posted().map((event) => event.data.ordinal)).toEqual(posted().map((_, index) => index + 1));
    });

    it('shows its history in log order', async () => {
      const contents = new Map(
        senders.flatMap((sender) =>
          [...sender.acknowledged.values()].map(({ messageId, content }) => [messageId, content] as const),
        ),
      );
      // The owner has not written these, so nothing makes the owner wait for the timelines.
      const { position } = posted().at(-1)!;
      await vi.waitFor(
        async () => {
          const { headers } = await owner.request('GET', `/channels/${channel.id}/messages?limit=1`);
          expect(Number(headers.get('x-parley-position'))).toBeGreaterThanOrEqual(position);
        },
        { interval: 100, timeout: 30_000 },
      );
      const history = await wholeHistory(owner, channel.id);
      expect(history.map(({ id, content }) => [id, content])).toEqual(
        posted().map((event) => [event.data.messageId, contents.get(event.data.messageId!)]),
      );
    });

    it('shows each event once and in order to every subscriber, each of which resumed every time', () => {
      const expected = posted().map((event) => ({
        id: event.data.messageId,
        channelId: channel.id,
        sequence: event.sequence,
        ordinal: event.data.ordinal,
      }));
      for (const subscriber of subscribers) {
        expect(subscriber.invalidSessions).toBe(0);
        expect(subscriber.resumes).toBeGreaterThanOrEqual(1);
        expect(subscriber.messages).toEqual(expected);
        expect(subscriber.positions).toEqual([...subscriber.positions].sort((a, b) => a - b));
      }
    });
  });
