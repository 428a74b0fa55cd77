import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../schemas/clock.ts';
import type { ViewsRuntime } from '../port.ts';
import { messageId, Story } from '../testing.ts';
import { ViewsFolder } from './testing.ts';

const SOON = 10_000;

describe('the runner', () => {
  let folder: ViewsFolder;
  let story: Story;
  const open: ViewsRuntime[] = [];

  beforeEach(() => {
    folder = new ViewsFolder();
    story = new Story();
  });
  afterEach(async () => {
    for (const views of open.splice(0)) await views.stop();
    folder.remove();
  });

  const opened = async (clock: Clock = systemClock): Promise<ViewsRuntime> => {
    const views = await folder.open(story.log, { clock });
    open.push(views);
    return views;
  };
  const started = async (): Promise<ViewsRuntime> => {
    const views = await opened();
    views.start();
    return views;
  };
  const head = () => story.log.all.length;
  const ordinalsIn = async (views: ViewsRuntime, channelId: string) =>
    (await views.timelines.page(channelId, { limit: 100 }, '10')).map(({ ordinal }) => ordinal);

  it('follows the log and reports when a position is reached', async () => {
    const views = await started();
    story.post('30', '10');
    expect(await views.whenProcessed(1, SOON)).toBe(true);
    expect(await ordinalsIn(views, '30')).toEqual([1]);
    expect(await views.whenProcessed(1, 0)).toBe(true);
    expect(views.checkpoint()).toBe(1);
    expect({ batches: views.batches, events: views.events }).toEqual({ batches: 1, events: 1 });
  });

  it('leaves out the stream of an event that cannot be read, and goes on with the others', async () => {
    const views = await opened();
    for (const channel of ['30', '31', '30', '30', '31']) story.post(channel, '10');
    Object.assign(story.log.all[2]!, { type: 'of-a-newer-parley' });
    views.start();
    const told: number[] = [];
    views.onBatch(async (_, through) => void told.push(through));
    expect(await views.whenProcessed(5, SOON)).toBe(true);
    expect(await ordinalsIn(views, '30')).toEqual([1]);
    expect(await ordinalsIn(views, '31')).toEqual([2, 1]);
    expect(views.deadLetters).toBeGreaterThan(0);
    expect(told.at(-1)).toBe(5);
    expect(folder.failures).toEqual([]);
  });

  it('reports when a position is not reached in time', async () => {
    const views = await started();
    expect(await views.whenProcessed(1, 5)).toBe(false);
  });

  it('continues at its checkpoint after a restart', async () => {
    const first = await started();
    story.post('30', '10');
    await first.whenProcessed(1, SOON);
    await first.stop();
    story.post('30', '10');
    const second = await opened();
    const seen: number[] = [];
    second.onBatch(async (events) => void seen.push(...events.map(({ position }) => position)));
    expect(second.checkpoint()).toBe(1);
    second.start();
    await second.whenProcessed(2, SOON);
    await second.atRest(async () => {});
    expect(seen).toEqual([2]);
    expect(await ordinalsIn(second, '30')).toEqual([2, 1]);
  });

  it('calls listeners in order, after the views hold the batch, and waits for them', async () => {
    const views = await opened();
    const told: string[] = [];
    views.onBatch(async (events, through) => {
      await Promise.resolve();
      told.push(`first ${through} ${(await ordinalsIn(views, '30')).length} of ${events.length}`);
    });
    views.onBatch(async (_, through) => void told.push(`second ${through}`));
    story.post('30', '10');
    story.join('20', '10');
    story.post('30', '10');
    views.start();
    await views.atRest(async () => {});
    await views.whenProcessed(3, SOON);
    await views.atRest(async () => {});
    expect(told).toEqual(['first 2 1 of 2', 'second 2', 'first 3 2 of 1', 'second 3']);
  });

  it('delivers what stands alone before the views hold it, everything else after them, and each batch once', async () => {
    const views = await opened();
    const told: string[] = [];
    views.deliverTo(async (events, through) => {
      await Promise.resolve();
      told.push(`${events.map(({ type }) => type)} through ${through}, held through ${views.checkpoint()}`);
    });
    story.post('30', '10');
    story.post('30', '11');
    story.join('20', '10');
    views.start();
    await views.whenProcessed(3, SOON);
    story.post('30', '10');
    await views.whenProcessed(4, SOON);
    story.edit('30', 1, '10');
    await views.whenProcessed(5, SOON);
    await views.atRest(async () => {});
    expect(told).toEqual([
      'message-posted,message-posted,member-joined through 3, held through 3',
      'message-posted through 4, held through 3',
      'message-edited through 5, held through 5',
    ]);
  });

  it('lets a read wait until the views hold what was delivered, and no longer than a moment', async () => {
    const views = await started();
    let asked: Promise<unknown> | undefined;
    views.deliverTo(async () => {
      asked = views.holdDelivered()?.then(() => views.checkpoint());
    });
    expect(views.holdDelivered()).toBeUndefined();
    story.post('30', '10');
    await views.whenProcessed(1, SOON);
    expect(await asked).toBe(1);
    expect(views.holdDelivered()).toBeUndefined();
  });

  describe('with small batches that are delivered already', () => {
    let delivered: number[];
    let timer: (() => void) | undefined;
    const views = async (): Promise<ViewsRuntime> => {
      delivered = [];
      timer = undefined;
      const setTimer = (_: number, work: () => void) => {
        timer = work;
        return () => {};
      };
      const made = await opened({ ...systemClock, setTimer });
      made.deliverTo(async (_, through) => void delivered.push(through));
      made.start();
      for (let n = 1; n <= 3; n += 1) {
        story.post('30', '10');
        await expect.poll(() => delivered.at(-1)).toBe(n);
      }
      return made;
    };

    it('stores all of them in one transaction, a moment later', async () => {
      const made = await views();
      expect({ batches: made.batches, checkpoint: made.checkpoint() }).toEqual({ batches: 0, checkpoint: 0 });
      timer?.();
      await expect.poll(() => made.checkpoint()).toBe(3);
      expect({ batches: made.batches, events: made.events }).toEqual({ batches: 1, events: 3 });
      expect(delivered).toEqual([1, 2, 3]);
    });

    it('stores them at once for whoever waits for them or reads at rest, and together with what is not', async () => {
      const made = await views();
      expect(await made.whenProcessed(3, SOON)).toBe(true);
      story.post('30', '10');
      await expect.poll(() => delivered.at(-1)).toBe(4);
      expect(await made.atRest(async (checkpoint) => checkpoint)).toBe(4);
      story.post('30', '10');
      await expect.poll(() => delivered.at(-1)).toBe(5);
      story.edit('30', 1, '10');
      await expect.poll(() => made.checkpoint()).toBe(6);
      expect(made.batches).toBe(3);
    });

    it('stores them before it stops', async () => {
      await (await views()).stop();
      expect((await opened()).checkpoint()).toBe(3);
    });
  });

  it('leaves the views exactly at an event that changes rights while listeners handle it', async () => {
    const views = await opened();
    const members: [number, number][] = [];
    views.onBatch(async (_, through) => {
      members.push([through, (await views.guilds.members('20', { limit: 10 })).length]);
    });
    story.guild('20', '10');
    story.join('20', '10');
    story.join('20', '11');
    story.leave('20', '10');
    views.start();
    await views.whenProcessed(4, SOON);
    await views.atRest(async () => {});
    expect(members).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
      [4, 1],
    ]);
  });

  it('pauses while somebody reads at rest', async () => {
    const views = await started();
    story.post('30', '10');
    await views.whenProcessed(1, SOON);
    await views.atRest(async (checkpoint) => {
      story.post('30', '10');
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      expect(checkpoint).toBe(1);
      expect(views.checkpoint()).toBe(1);
      expect(await ordinalsIn(views, '30')).toEqual([1]);
    });
    expect(await views.whenProcessed(2, SOON)).toBe(true);
  });

  it('shows no row of a batch before all of them', async () => {
    const views = await started();
    const seen = new Set<string>();
    for (let n = 1; n <= 200; n += 1) {
      story.post('30', '10');
      story.post('31', '10');
      const [a, b] = await Promise.all([views.unread.head('30'), views.unread.head('31')]);
      seen.add(String(a.position > 0 && Math.max(a.position, b.position) > views.checkpoint()));
    }
    await views.whenProcessed(head(), SOON);
    expect(seen).toEqual(new Set(['false']));
  });

  it('stores the progress of the processes with the views', async () => {
    const views = await opened();
    expect(views.processesThrough).toBe(0);
    views.setProcessesThrough(() => views.checkpoint());
    views.start();
    story.post('30', '10');
    await views.whenProcessed(1, SOON);
    await views.stop();
    expect((await opened()).processesThrough).toBe(1);
  });

  it('shows a changed row even if the old one was read before', async () => {
    const views = await started();
    story.guild('20', '10');
    story.join('20', '10');
    await views.whenProcessed(head(), SOON);
    expect((await views.guilds.guild('20'))?.memberCount).toBe(1);
    expect(await views.guilds.member('20', '10')).toBeDefined();
    story.leave('20', '10');
    await views.whenProcessed(head(), SOON);
    expect((await views.guilds.guild('20'))?.memberCount).toBe(0);
    expect(await views.guilds.member('20', '10')).toBeUndefined();
  });

  it('records an event that a projection cannot apply, and skips only that stream in that projection', async () => {
    const views = await started();
    story.post('30', '10');
    await views.whenProcessed(1, SOON);
    const again = story.post('30', '10');
    Object.assign(again.data, { messageId: messageId('30', 1) });
    story.post('30', '10');
    story.post('31', '10');
    await views.whenProcessed(head(), SOON);
    expect(await ordinalsIn(views, '30')).toEqual([1]);
    expect(await ordinalsIn(views, '31')).toEqual([1]);
    expect((await views.unread.head('30')).ordinal).toBe(3);
    expect(views.deadLetters).toBe(1);
    await views.stop();
    const later = await started();
    story.post('30', '10');
    await later.whenProcessed(head(), SOON);
    expect(later.deadLetters).toBe(1);
    expect(await ordinalsIn(later, '30')).toEqual([1]);
    expect(folder.failures).toEqual([]);
  });

  it('stops and reports it when a listener throws', async () => {
    const views = await opened();
    const failed = new Promise((resolve) => {
      folder.failures.push = (failure) => {
        resolve(failure);
        return 1;
      };
    });
    views.onBatch(() => Promise.reject(new Error('listener')));
    views.start();
    story.post('30', '10');
    expect(await failed).toMatchObject({ message: 'listener' });
  });

  it('reports no lag once it has caught up', async () => {
    const views = await started();
    story.post('30', '10');
    await views.whenProcessed(1, SOON);
    expect(views.lag()).toEqual({ events: 0, seconds: 0 });
  });

  it('can be stopped twice, and answers those still waiting', async () => {
    const views = await started();
    const waiting = views.whenProcessed(99, SOON);
    await Promise.all([views.stop(), views.stop()]);
    expect(await waiting).toBe(false);
  });
});
