import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteEventLog } from '../../log/sqlite/event-log.ts';
import { batch, stored } from '../../log/testing.ts';
import { systemClock } from '../../schemas/clock.ts';
import { openSqliteVault } from '../../vault/sqlite/vault.ts';
import { checkArchive } from './check.ts';
import { exportLog } from './export.ts';

const nothing = () => {};

describe('an archive', () => {
  let root: string;
  let folder: string;
  const whole = new Map<string, string>();
  const checked = () => checkArchive(folder, nothing);

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'parley-archive-'));
    folder = join(root, 'archive');
    const directory = join(root, 'source');
    const log = await openSqliteEventLog({ clock: systemClock, directory });
    const vault = await openSqliteVault({ directory });
    for (let turn = 0; turn < 30; turn += 1)
      for (const stream of ['channel-1', 'user-1', 'channel-2']) stored(await log.append(batch(stream, turn * 3, 3)));
    await vault.createKey('1');
    await exportLog({ log, vault, folder, onProgress: nothing });
    await vault.close();
    await log.close();
    for (const name of readdirSync(folder)) whole.set(name, readFileSync(join(folder, name), 'utf8'));
  });
  beforeEach(() => {
    for (const [name, text] of whole) writeFileSync(join(folder, name), text);
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it('as it was exported is right', async () => {
    expect(await checked()).toMatchObject({ folder, events: 270 });
  });

  const change = (file: string, to: (lines: string[]) => unknown) => {
    const path = join(folder, file);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    to(lines);
    writeFileSync(path, `${lines.join('\n')}\n`);
  };
  const inLine3 = (from: string | RegExp, to: string) => (lines: string[]) => {
    const changed = lines[2]!.replace(from, to);
    expect(changed).not.toBe(lines[2]);
    lines[2] = changed;
  };
  const refused = async (says: RegExp) => expect(checked()).rejects.toThrow(says);

  it.each<[what: string, file: string, to: (lines: string[]) => unknown, says: RegExp]>([
    ['lacks a field', 'events.ndjson', inLine3('"stream":', '"straem":'), /line 3: stream: This field is required/],
    ['holds text for a number', 'events.ndjson', inLine3(/"time":\d+/, '"time":"x"'), /line 3: time: Must be a whole/],
    [
      'lacks a line',
      'events.ndjson',
      (lines) => lines.splice(2, 1),
      /line 9: channel-1 goes on with sequence 4 after 2/,
    ],
    ['holds a line twice', 'events.ndjson', (lines) => lines.splice(2, 0, lines[2]!), /line 4: .* sequence 3 after 3/],
    ['has a wrong sequence', 'events.ndjson', inLine3('"sequence":3', '"sequence":7'), /line 3: .* sequence 7 after 2/],
    [
      'has lines in another order',
      'events.ndjson',
      inLine3('"position":3', '"position":2'),
      /position 2 comes after 2/,
    ],
    [
      'holds an unknown event',
      'events.ndjson',
      inLine3(/"type":"[^"]+"/, '"type":"x"'),
      /line 3: .*cannot be read by this/,
    ],
    ['holds data that is no JSON', 'events.ndjson', inLine3('"data":"{', '"data":"'), /line 3: .*its data is no JSON/],
    ['is cut in a line', 'events.ndjson', inLine3(/.{9}$/, ''), /line 3: is not JSON/],
    ['has a line that is no object', 'events.ndjson', inLine3(/.*/, 'null'), /line 3: Must be an object/],
    ['has lost its end', 'events.ndjson', (lines) => lines.pop(), /events\.ndjson: channel-2 ends with .* 90, .* 89/],
    [
      'has another time',
      'events.ndjson',
      inLine3(/"time":\d+/, '"time":1'),
      /events\.ndjson: the events of channel-1 .* checksum/,
    ],
    [
      'has another position',
      'events.ndjson',
      (lines) => lines.push(lines.pop()!.replace(/"position":\d+/, '"position":999')),
      /events\.ndjson: was changed since/,
    ],
    [
      'has another checksum of a stream',
      'streams.ndjson',
      inLine3(/"checksum":"./, '"checksum":"*'),
      /streams\.ndjson, line 3: the events of user-1 .* checksum/,
    ],
    ['has a stream twice', 'streams.ndjson', (lines) => lines.push(lines[0]!), /streams\.ndjson: was changed since/],
    ['lacks a stream', 'streams.ndjson', (lines) => lines.pop(), /streams\.ndjson: lacks user-1/],
    ['has a stream that is no JSON', 'streams.ndjson', inLine3('{', ''), /streams\.ndjson, line 3: is not JSON/],
    [
      'has a record of no kind',
      'vault.ndjson',
      (lines) => lines.push('{}'),
      /vault\.ndjson, line \d+: kind: This field/,
    ],
    [
      'has a short key',
      'vault.ndjson',
      (lines) => lines.push('{"kind":"key","userId":"1","key":"eA=="}'),
      /key: Must be 32/,
    ],
    ['has a vault that is no JSON', 'vault.ndjson', (lines) => lines.push('x'), /vault\.ndjson, line \d+: is not JSON/],
    ['lacks its signing secret', 'vault.ndjson', (lines) => lines.shift(), /vault\.ndjson: was changed since/],
    ['lacks a person', 'vault.ndjson', (lines) => lines.pop(), /vault\.ndjson: was changed since/],
    [
      'holds the key of another person',
      'vault.ndjson',
      (lines) => lines.push(lines.pop()!.replace('"userId":"1"', '"userId":"2"')),
      /vault\.ndjson: was changed since/,
    ],
    [
      'holds another key',
      'vault.ndjson',
      (lines) => lines.push(lines.pop()!.replace(/"key":"./, '"key":"A')),
      /vault\.ndjson: was changed since/,
    ],
    [
      'has its records in another order',
      'vault.ndjson',
      (lines) => lines.reverse(),
      /vault\.ndjson: was changed since/,
    ],
    ['has an empty line', 'vault.ndjson', (lines) => lines.push(''), /vault\.ndjson, line \d+: is not JSON/],
    ['has a summary that is no JSON', 'archive.json', (lines) => lines.unshift('x'), /archive\.json: is not JSON/],
    ['has an empty summary', 'archive.json', (lines) => lines.splice(0, 1, '{}'), /archive\.json: format: This field/],
    [
      'has another count',
      'archive.json',
      (lines) => lines.splice(0, 1, lines[0]!.replace('270', '271')),
      /holds 270 .* tells of 271/,
    ],
  ])('that %s is refused, and the refusal says where', async (_, file, to, says) => {
    change(file, to);
    await refused(says);
    await refused(/^the archive is at fault, and nothing was imported: .*\.(ndjson|json)/);
  });

  it.each(['events.ndjson', 'streams.ndjson', 'vault.ndjson', 'archive.json'])(
    'without %s is refused',
    async (file) => {
      rmSync(join(folder, file));
      await refused(file === 'archive.json' ? /no whole archive/ : new RegExp(`no whole archive: ${file} is missing`));
    },
  );

  /** As a former version wrote it. */
  const withoutChecksums = () =>
    change('archive.json', (lines) => {
      const { checksums, ...summary } = JSON.parse(lines[0]!) as { checksums: object };
      expect(Object.keys(checksums)).toEqual(['events.ndjson', 'streams.ndjson', 'vault.ndjson']);
      lines[0] = JSON.stringify(summary);
    });

  it('of a former version, which has no checksums of files, is read', async () => {
    withoutChecksums();
    expect(await checked()).toMatchObject({ folder, events: 270 });
    change('vault.ndjson', (lines) => lines.shift());
    await refused(/vault\.ndjson: lacks the signing secret/);
    change('events.ndjson', inLine3(/"time":\d+/, '"time":1'));
    await refused(/streams\.ndjson, line 1: the events of channel-1 .* checksum/);
  });

  it('is a folder that is there', async () => {
    await expect(checkArchive(join(root, 'nowhere'), nothing)).rejects.toThrow(/there is no folder .*nowhere/);
    await expect(checkArchive(join(folder, 'events.ndjson'), nothing)).rejects.toThrow('an archive is a folder');
  });
});
