/** Imports every log that lies beside the project, twice. `npm test` counts their lines, and imports an excerpt. */

import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { importInto, registered, replayed } from '../support/importing.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const logs = resolve('../shared/data/irc');

describe.skipIf(!existsSync(logs))('the 39 logs of #ubuntu', () => {
  const folder = temporaryFolder();
  const files = existsSync(logs)
    ? readdirSync(logs)
        .filter((name) => name.endsWith('.raw.txt'))
        .map((name) => join(logs, name))
    : [];
  afterAll(() => folder.remove());

  it('account for every line, and a second import adds nothing', async () => {
    expect(files).toHaveLength(39);
    await registered(folder.path);
    const lines = '55265 lines: 48593 said (4 empty), 97 actions, 6570 system lines, 5 others';
    const first = await importInto(folder.path, files);
    expect(first).toContain(lines);
    expect(first).toContain('48686 messages added, 0 known');
    expect(first).toMatch(/now ends at ordinal 48686$/m);
    const events = await replayed(folder.path);
    const second = await importInto(folder.path, files);
    expect(second).toContain(lines);
    expect(second).toContain('0 messages added, 48686 known');
    expect(second).toMatch(/now ends at ordinal 48686$/m);
    expect(await replayed(folder.path)).toEqual(events);
  });

  it('make one account for all spellings of a nickname', async () => {
    const accounts = await replayed(folder.path, '--types', 'user-registered');
    // 4,613 people sent messages, 6 only acted, and one person registered.
    expect(accounts).toHaveLength(4_620);
  });
});
