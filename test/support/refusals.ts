/** Checks refusals. */

import { expect } from 'vitest';
import { catalogue } from '../../schemas/errors.ts';
import type { Answer } from './api.ts';

const codes: ReadonlySet<number> = new Set(Object.values(catalogue).map((entry) => entry.code));

/** Not the server's fault: 500 is always a bug, whatever was sent. */
export const expectCatalogued = (error: unknown, what: string): void => {
  expect(error, what).toMatchObject({ code: expect.any(Number), message: expect.any(String) });
  const { code, message } = error as { code: number; message: string };
  expect(codes.has(code), `${what}: code ${code}`).toBe(true);
  expect(message, what).not.toBe(catalogue.general.message);
};

export const expectRefusal = (answer: Answer, what: string): void => {
  expect(answer.status, `${what}: ${JSON.stringify(answer.body)}`).toBeGreaterThanOrEqual(400);
  expect(answer.status, `${what}: ${JSON.stringify(answer.body)}`).toBeLessThan(500);
  expectCatalogued(answer.body, what);
};

/** Nonsense may happen to be valid. Then it must succeed; otherwise it must be refused. */
export const expectNoFault = (answer: Answer, what: string): void => {
  if (answer.status >= 400) expectRefusal(answer, what);
};
