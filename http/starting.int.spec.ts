import { afterEach, expect, it } from 'vitest';
import { parleyError } from '../schemas/errors.ts';
import { answerWhileStarting, type Starting } from './starting.ts';

const PORT = 24_871;
let starting: Starting | undefined;
afterEach(() => starting?.close());

const get = async (path: string) => {
  const answer = await fetch(`http://127.0.0.1:${PORT}${path}`);
  return { status: answer.status, body: await answer.json() };
};

it('a process that waits for its servers is alive, is not ready, and says what it waits for', async () => {
  starting = await answerWhileStarting({ host: '127.0.0.1', port: PORT }, () => [
    'waiting for Redis (PARLEY_REDIS_URL)',
  ]);
  expect(await get('/health')).toEqual({ status: 200, body: { status: 'alive' } });
  expect(await get('/ready')).toEqual({
    status: 503,
    body: {
      ready: false,
      reasons: ['starting: this server is not open yet', 'waiting for Redis (PARLEY_REDIS_URL)'],
      degraded: [],
    },
  });
  const { message, code } = parleyError('unavailable');
  expect(await get('/v1/users/@me')).toEqual({ status: 503, body: { message, code, retry_after: 1 } });
  await starting.close();
  starting = await answerWhileStarting({ host: '127.0.0.1', port: PORT }, () => []);
  expect((await get('/health')).status).toBe(200);
});
