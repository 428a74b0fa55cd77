import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { createLogger } from './logger.ts';

const lines = (level: 'info' | 'silent', log: (logger: ReturnType<typeof createLogger>) => void): string => {
  let text = '';
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk);
      done();
    },
  });
  log(createLogger(level, sink));
  return text;
};

it('writes a line of JSON with level, time and the given fields', () => {
  const line = JSON.parse(lines('info', (logger) => logger.info({ correlationId: 'c' }, 'hello')));
  expect(line).toMatchObject({ level: 'info', msg: 'hello', correlationId: 'c' });
  expect(Date.parse(line.time)).toBeGreaterThan(0);
});

it('never writes message text, a token or a password, at any depth', () => {
  const secret = { token: 'SECRET', password: 'SECRET', content: 'SECRET', authorization: 'SECRET' };
  const text = lines('info', (logger) => logger.info({ ...secret, body: secret, request: { headers: secret } }));
  expect(text).toContain('[not logged]');
  expect(text).not.toContain('SECRET');
});

it('writes nothing at level silent', () => {
  expect(lines('silent', (logger) => logger.fatal('x'))).toBe('');
});
