import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryLog } from '../../log/memory.ts';
import type { LogReader } from '../../log/port.ts';
import { ViewsStopped } from '../engine/applying.ts';
import { Story } from '../testing.ts';
import { VIEWS_VERSION } from './file.ts';
import type { RebuildProgress } from './open.ts';
import { ViewsFolder } from './testing.ts';

/** One of everything, and a stream long enough to have snapshots. */
const tell = (story: Story): void => {
  for (const userId of ['10', '11', '12']) story.user(userId);
  story.guild('20', '10');
  story.channel('30', '20');
  story.join('20', '10');
  story.invite('code', '20', '30', '10', 3);
  story.redeem('code', '20', '11');
  story.join('20', '11', 'code');
  story.direct('40', '10', '11');
  for (let n = 1; n <= 600; n += 1) {
    story.post('30', n % 3 === 0 ? '11' : '10', { mentions: { users: ['12'], everyone: n % 50 === 0 } });
    if (n % 7 === 0) story.react('30', n, '11', '👍');
    if (n % 11 === 0) story.edit('30', n, '10');
    if (n % 13 === 0) story.remove('30', n, '10');
    if (n % 17 === 0) story.read('12', { '30': n });
  }
  story.leave('20', '11');
};

describe('the views file', () => {
  let views: ViewsFolder;
  let story: Story;
  let reports: RebuildProgress[];
  const onProgress = (progress: RebuildProgress) => void reports.push(progress);

  beforeEach(() => {
    views = new ViewsFolder();
    story = new Story();
    reports = [];
    tell(story);
  });
  afterEach(() => views.remove());

  /** Built by following the log, as in normal operation. */
  const live = async (log: MemoryLog = story.log) => {
    const empty = new MemoryLog(log.epoch);
    const runtime = await views.open(empty);
    empty.replaceWith(log);
    runtime.start();
    await runtime.whenProcessed(log.all.length, 10_000);
    await runtime.stop();
    return views.checksums();
  };
  const reopened = async (log: LogReader = story.log) => {
    const runtime = await views.open(log, { onProgress });
    const checkpoint = runtime.checkpoint();
    await runtime.stop();
    return { checkpoint, checksums: views.checksums() };
  };
  const reasons = () => [...new Set(reports.map(({ reason }) => reason))];

  it('is used as it is after a clean shutdown', async () => {
    await live();
    expect((await reopened()).checkpoint).toBe(story.log.all.length);
    expect(reports).toEqual([]);
  });

  it('holds the same after a rebuild as before', async () => {
    const before = await live();
    rmSync(views.file);
    const { checkpoint, checksums } = await reopened();
    expect(checksums).toEqual(before);
    expect(checkpoint).toBe(story.log.all.length);
    expect(reasons()).toEqual(['there is none']);
    expect(before.snapshots).toMatch(/^1 rows/);
  });

  it('reports the progress of a rebuild', async () => {
    await reopened();
    expect(reports.at(-1)).toEqual({
      reason: 'there is none',
      through: story.log.all.length,
      head: story.log.all.length,
    });
  });

  it('is rebuilt when its version differs from the code’s, older or newer', async () => {
    const before = await live();
    let rebuilt = 0;
    for (const version of [VIEWS_VERSION - 1, VIEWS_VERSION + 1]) {
      views.tamper(`UPDATE views SET version = ${version}`);
      expect((await reopened()).checksums).toEqual(before);
      expect(reports.length).toBeGreaterThan(rebuilt);
      rebuilt = reports.length;
    }
    expect(reasons()).toEqual(['it is of another version']);
  });

  it('keeps the progress of the processes through a rebuild', async () => {
    await live();
    views.tamper(`UPDATE views SET version = ${VIEWS_VERSION - 1}, processes = 17`);
    const runtime = await views.open(story.log);
    expect(runtime.processesThrough).toBe(17);
    await runtime.stop();
  });

  it('is rebuilt when it belongs to another log', async () => {
    await live(new MemoryLog('other').replaceWith(story.log));
    const { checksums } = await reopened();
    expect(reasons()).toEqual(['it belongs to another log']);
    rmSync(views.file);
    expect((await reopened()).checksums).toEqual(checksums);
  });

  it('is rebuilt when it is ahead of the log', async () => {
    await live();
    const shorter = new Story();
    shorter.user('10');
    expect((await reopened(shorter.log)).checkpoint).toBe(1);
    expect(reasons()).toEqual(['it is ahead of the log']);
  });

  it('is rebuilt after the machine stopped while it was in use, and only then', async () => {
    const before = await live();
    views.tamper('UPDATE views SET closed = 0');
    await reopened();
    expect(reports).toEqual([]);
    views.tamper(`UPDATE views SET closed = 0, boot = 'another'`);
    expect((await reopened()).checksums).toEqual(before);
    expect(reasons()).toEqual(['the machine stopped while it was in use']);
  });

  it('is rebuilt when it is truncated, overwritten or empty', async () => {
    const before = await live();
    truncateSync(views.file, 40_000);
    expect((await reopened()).checksums).toEqual(before);
    writeFileSync(views.file, 'something else');
    expect((await reopened()).checksums).toEqual(before);
    writeFileSync(views.file, '');
    expect((await reopened()).checksums).toEqual(before);
    expect(reasons()).toEqual(['it is damaged']);
  });

  it('is rebuilt when a page that is read while it is in use is damaged', async () => {
    const before = await live();
    const whole = readFileSync(views.file);
    // Where the messages are. What says where each table is has to stay: a file without it is rebuilt when it is opened.
    whole.fill(0x5a, 8192 * 3, 8192 * 4);
    writeFileSync(views.file, whole);
    const runtime = await views.open(story.log);
    const pages = Array.from({ length: 20 }, (_, n) =>
      runtime.timelines.page('30', { after: String(n), limit: 100 }, '10'),
    );
    expect((await Promise.allSettled(pages)).some(({ status }) => status === 'rejected')).toBe(true);
    expect(views.failures).toEqual([expect.any(ViewsStopped)]);
    await runtime.stop().catch(() => {});
    expect((await reopened()).checksums).toEqual(before);
    expect(reasons()).toEqual(['it is damaged']);
  });

  it('is checked when it was left open twice in succession, and rebuilt if its text is damaged', async () => {
    const before = await live();
    const killed = async () => {
      const runtime = await views.open(story.log, { onProgress });
      const [whole, wal] = ['', '-wal'].map((suffix) => readFileSync(views.file + suffix)) as [Buffer, Buffer];
      await runtime.stop();
      writeFileSync(views.file, whole);
      writeFileSync(`${views.file}-wal`, wal);
    };
    await killed();
    views.tamper(`UPDATE messages SET sealed_in = CAST(x'6d28ff' AS TEXT) WHERE ordinal = 5`);
    await killed();
    expect(reports).toEqual([]);
    expect((await reopened()).checksums).toEqual(before);
    expect(reasons()).toEqual(['it is damaged']);
    for (let n = 0; n < 3; n += 1) await killed();
    expect(reasons()).toEqual(['it is damaged']);
    expect((await reopened()).checksums).toEqual(before);
  });

  it('is rebuilt when damage was found while it was in use', async () => {
    const before = await live();
    writeFileSync(`${views.file}.damaged`, '');
    expect((await reopened()).checksums).toEqual(before);
    expect(readdirSync(views.folder)).toEqual(['views.db']);
  });

  it('is left untouched by an interrupted rebuild, which starts again', async () => {
    for (let n = 0; n < 4000; n += 1) story.post('30', '10');
    const before = await live();
    views.tamper('UPDATE views SET version = 0');
    const old = views.checksums();
    const breakOff = () => {
      throw new Error('killed');
    };
    await expect(views.open(story.log, { onProgress: breakOff })).rejects.toThrow('killed');
    expect(existsSync(`${views.file}.building`)).toBe(false);
    expect(views.checksums()).toEqual(old);
    expect((await reopened()).checksums).toEqual(before);
    expect(readdirSync(views.folder)).toEqual(['views.db']);
  });

  it('is not rebuilt without an event that fails: the error names the event', async () => {
    const first = story.post('30', '10');
    const again = story.post('30', '10');
    Object.assign(again.data, { messageId: first.data.messageId });
    await expect(views.open(story.log)).rejects.toThrow(
      new RegExp(`event ${again.id} \\(message-posted, channel-30 .*position ${again.position}\\) fails`),
    );
    expect(existsSync(views.file)).toBe(false);
  });
});
