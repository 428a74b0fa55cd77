import { readFileSync } from 'node:fs';
import { either } from 'fp-ts';
import { describe, expect, it } from 'vitest';
import { configurationTable, ignoredVariables, readConfig } from './environment.ts';

const right = (environment: Record<string, string>) => {
  const read = readConfig(environment);
  if (either.isLeft(read)) throw new Error(read.left.join('\n'));
  return read.right;
};
const left = (environment: Record<string, string>) => {
  const read = readConfig(environment);
  return either.isLeft(read) ? read.left : [];
};

describe('the configuration', () => {
  it('has a default for everything', () => {
    expect(right({ HOME: '/somewhere' })).toMatchObject({
      host: '127.0.0.1',
      port: 7480,
      data: './data',
      publicUrl: null,
      resumeGatewayUrl: null,
      trustedProxies: [],
      registration: 'open',
      deletionSeconds: 604_800,
      limits: { send: { count: 5, seconds: 5 }, global: { count: 50, seconds: 1 } },
    });
  });

  it('takes the given values', () => {
    const config = right({
      PARLEY_PORT: '0',
      PARLEY_PUBLIC_URL: 'https://chat.example/',
      PARLEY_RESUME_GATEWAY_URL: 'wss://front.example/gateway',
      PARLEY_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
      PARLEY_LIMIT_SEND: 'off',
      PARLEY_LIMIT_LOGIN: '3/10',
    });
    expect(config).toMatchObject({
      port: 0,
      publicUrl: 'https://chat.example',
      resumeGatewayUrl: 'wss://front.example/gateway',
      trustedProxies: ['10.0.0.0/8', '::1'],
      limits: { send: undefined, login: { count: 3, seconds: 10 } },
    });
  });

  it.each(['kurrentdb', 'esdb'])('takes a server of the log under a name of its product: %s', (scheme) => {
    const said = (url: string) =>
      left({ PARLEY_PROFILE: 'cluster', PARLEY_LOG: 'kurrentdb', PARLEY_LOG_URL: url })
        .join()
        .includes('PARLEY_LOG_URL');
    expect(said(`${scheme}://a:1,b:2?tls=false`)).toBe(false);
    expect(said(`${scheme}+discover://ann:secret@cluster.example:2113`)).toBe(false);
    expect(said(`${scheme}+srv://cluster.example`)).toBe(true);
  });

  it('limits the first registrations as the others are, unless told otherwise', () => {
    const limitsWith = (environment: Record<string, string>) => {
      const { registerEarly, register } = right(environment).limits;
      return [registerEarly?.count, register?.count];
    };
    expect(limitsWith({})).toEqual([500, 20]);
    expect(limitsWith({ PARLEY_LIMIT_REGISTER: '3/60' })).toEqual([3, 3]);
    expect(limitsWith({ PARLEY_LIMIT_REGISTER: 'off' })).toEqual([undefined, undefined]);
    expect(limitsWith({ PARLEY_LIMIT_REGISTER: '3/60', PARLEY_LIMIT_REGISTER_EARLY: '9/60' })).toEqual([9, 3]);
    expect(left({ PARLEY_LIMIT_REGISTER: 'x' })).toHaveLength(1);
  });

  it('names every wrong variable at once, with what was given and what is accepted', () => {
    expect(
      left({
        PARLEY_PORT: 'http',
        PARLEY_LIMIT_SEND: '5 per 5',
        PARLEY_REGISTRATION: 'maybe',
        PARLEY_PUBLIC_URL: 'chat.example',
        PARLEY_TRUSTED_PROXIES: '10.0.0.0/33',
        PARLEY_HOST: '',
      }),
    ).toEqual([
      'PARLEY_HOST: given ""; accepted: an address or host name',
      'PARLEY_PORT: given "http"; accepted: a whole number from 0 to 65535',
      'PARLEY_PUBLIC_URL: given "chat.example"; accepted: a URL beginning with http:// or https://, or nothing',
      'PARLEY_TRUSTED_PROXIES: given "10.0.0.0/33"; accepted: IP addresses and networks separated by commas (`10.0.0.0/8,::1`), or nothing',
      'PARLEY_REGISTRATION: given "maybe"; accepted: `open`, `invited`, `closed`',
      'PARLEY_LIMIT_SEND: given "5 per 5"; accepted: `<count>/<seconds>` such as `5/5`, both from 1 to 1000000, or `off`',
    ]);
  });

  it.each(['0/5', '5/0', '-1/5', '5/5/5', '1e3/5', '5'])('refuses the limit %s', (given) => {
    expect(left({ PARLEY_LIMIT_SEND: given })).toHaveLength(1);
  });

  it.each(['-0.1', '1.1', '1e-3', '.5', '', 'half'])('refuses to trace a share of %j', (given) => {
    expect(left({ PARLEY_TRACING_RATIO: given })).toHaveLength(1);
  });

  it.each(['0', '1', '0.05', '1.0'])('traces a share of %s', (given) => {
    expect(right({ PARLEY_TRACING_RATIO: given }).tracingRatio).toBe(Number(given));
  });

  it('sends no spans unless configured to, and sends them only over HTTP', () => {
    expect(right({}).tracingUrl).toBeNull();
    expect(left({ PARLEY_TRACING_URL: 'localhost:4318' })).toHaveLength(1);
    expect(left({ PARLEY_TRACING_URL: 'grpc://127.0.0.1:4317' })).toHaveLength(1);
  });

  it('names an unknown variable and the most similar known one', () => {
    expect(left({ PARLEY_PROT: '80' })).toEqual(['PARLEY_PROT is no variable of Parley; the nearest is PARLEY_PORT']);
  });

  it('names the variables of a cluster that do nothing in the embedded profile', () => {
    const given = { PARLEY_ROLES: 'gateway', PARLEY_LOG_URL: 'postgres://a/b', PARLEY_REDIS_URL: '', PARLEY_PORT: '1' };
    expect(ignoredVariables(given, { profile: 'embedded' }).toSorted()).toEqual(['PARLEY_LOG_URL', 'PARLEY_ROLES']);
    expect(ignoredVariables(given, { profile: 'cluster' })).toEqual([]);
  });

  it('shortens a long given value', () => {
    expect(left({ PARLEY_PORT: 'x'.repeat(500) })[0]!.length).toBeLessThan(200);
  });

  it('matches the documentation in docs/configuration.md', () => {
    const page = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8');
    expect(page).toContain(configurationTable());
  });
});
