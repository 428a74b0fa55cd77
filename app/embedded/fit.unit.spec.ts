import { describe, expect, it } from 'vitest';
import { misfits, type Parts } from './fit.ts';

const whole: Parts = {
  log: { epoch: 'e', formerEpoch: undefined, head: 40, vault: { id: 'v', revision: 7 } },
  vault: { note: { id: 'v', revision: 7 }, remembered: { epoch: 'e', position: 38 } },
  views: { epoch: 'e', position: 40 },
};
const log = (more: Partial<Parts['log']>): Parts => ({ ...whole, log: { ...whole.log, ...more } });
const vault = (more: Partial<NonNullable<Parts['vault']>>): Parts => ({
  ...whole,
  vault: { ...whole.vault!, ...more },
});

describe('parts of a data folder fit', () => {
  it.each<[string, Parts]>([
    ['after any end of the server', whole],
    ['when the vault has changed since the last append', vault({ note: { id: 'v', revision: 9 } })],
    ['when the vault does not yet know of any event', vault({ remembered: undefined })],
    ['in a folder from before the log noted its vault', log({ vault: undefined })],
    ['without views', { ...whole, views: undefined }],
    ['when the views are of a former epoch', { ...whole, views: { epoch: 'd', position: 90 } }],
    [
      'when the process ended between a new epoch and the vault’s note of it',
      { ...vault({ remembered: { epoch: 'd', position: 90 } }), log: { ...whole.log, formerEpoch: 'd' } },
    ],
    ['on the very first start', { ...log({ head: 0, vault: undefined }), vault: undefined, views: undefined }],
  ])('%s', (_, parts) => expect(misfits(parts)).toEqual([]));
});

describe('parts of a data folder do not fit', () => {
  it.each<[string, Parts, RegExp]>([
    ['without a vault', { ...whole, vault: undefined }, /vault\.db is missing/],
    ['with another vault', vault({ note: { id: 'w', revision: 99 } }), /not of the same installation/],
    ['with an older vault', vault({ note: { id: 'v', revision: 6 } }), /vault\.db is older than log\.db/],
    [
      'with an older log',
      log({ head: 30 }),
      /ends at position 30, and vault\.db remembers position 38: .* last 8 events are missing/,
    ],
    [
      'with a log that the views have seen longer',
      log({ head: 39 }),
      /ends at position 39, and views\.db has followed it to position 40/,
    ],
    ['with a log of another history', log({ epoch: 'x' }), /not the log that vault\.db was used with/],
    [
      'with the log of another installation from before vaults were noted',
      log({ epoch: 'x', vault: undefined }),
      /not the log that vault\.db was used with/,
    ],
  ])('%s', (_, parts, says) => {
    const found = misfits(parts);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(says);
  });
});
