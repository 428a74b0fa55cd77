/** A kill test cannot tell a synced commit from one that only reached the page cache. System calls can. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { someName } from './support/api.ts';
import { startInstance } from './support/instance.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const traceable = spawnSync('strace', ['-e', 'trace=fdatasync', 'true']).status === 0;

const commitsOf = async (url: string): Promise<number> => {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^parley_append_batch_events_count (\d+)$/m.exec(metrics)![1]);
};

describe.runIf(traceable)('the log', () => {
  it('syncs to disk once for each commit', async () => {
    const traces = temporaryFolder();
    onTestFinished(() => traces.remove());
    const file = join(traces.path, 'trace');
    const strace = ['strace', '-f', '--seccomp-bpf', '-y', '-e', 'trace=fsync,fdatasync', '-o', file];
    const instance = await startInstance(undefined, { under: strace });
    onTestFinished(() => instance.close());
    const syncs = () => readFileSync(file, 'utf8').match(/(fsync|fdatasync)\(\d+<[^>]*log\.db-wal>/g)?.length ?? 0;

    const person = instance.api.as(await instance.api.register(someName('ada')));
    const { channel } = await person.createGuild('Synced');
    const [before, commitsBefore] = [syncs(), await commitsOf(instance.url)];
    for (let i = 0; i < 50; i += 1) await person.send(channel.id, `message ${i}`);
    const [after, commitsAfter] = [syncs(), await commitsOf(instance.url)];

    expect(commitsAfter - commitsBefore).toBeGreaterThanOrEqual(50);
    expect(after - before).toBe(commitsAfter - commitsBefore);
  });
});
