import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { urls } from '../../services/endpoints.ts';
import { bigints, integers, texts } from './values.ts';

let client: Client;
beforeAll(async () => {
  client = new Client({ connectionString: urls.postgres });
  await client.connect();
});
afterAll(() => client.end());

const answered = async (type: string, value: Buffer): Promise<unknown> => {
  const { rows } = await client.query(`SELECT array_to_json($1::${type}[]) AS value`, [value]);
  return rows[0].value;
};

/** Well-formed text without NUL, which PostgreSQL cannot store. */
const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));

it('is read by the server as written', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(text)),
      fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
      fc.array(fc.maxSafeInteger()),
      async (some, small, large) => {
        expect(await answered('text', texts(some))).toEqual(some);
        expect(await answered('integer', integers(small))).toEqual(small);
        expect(await answered('bigint', bigints(large))).toEqual(large);
      },
    ),
    { numRuns: 50 },
  );
});

it('holds long texts of characters of one to four bytes', async () => {
  const some = ['a', 'é', '漢', '𝄞'].map((character) => character.repeat(5000));
  expect(await answered('text', texts(some))).toEqual(some);
});
