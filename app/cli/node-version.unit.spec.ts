import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isTooOld, OLDEST_NODE } from './node-version.mjs';

describe('the oldest Node', () => {
  it('is the one that package.json names', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
    expect(engines.node).toBe(`>=${OLDEST_NODE}`);
  });

  it('is compared by numbers', () => {
    for (const old of ['12.22.12', '16.20.2', '18.20.8', '20.9.0', '20.14.9']) expect(isTooOld(old)).toBe(true);
    for (const recent of ['20.15.0', '20.100.0', '22.0.0', '100.0.0']) expect(isTooOld(recent)).toBe(false);
  });

  it('is checked before anything else, in the entry and in the build', () => {
    for (const file of ['app/cli/entry.ts', 'build.mjs']) {
      const [first] = /^import .*/m.exec(readFileSync(file, 'utf8'))!;
      expect(first).toContain('node-version.mjs');
    }
  });
});
