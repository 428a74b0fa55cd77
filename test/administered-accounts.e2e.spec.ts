import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { administeredAccountsSuite } from './suites/administered-accounts.ts';
import { type Api, PASSWORD, someName } from './support/api.ts';
import { type EmbeddedInstance, startInstance } from './support/instance.ts';
import { LIMITS_OFF } from './support/server.ts';

/** The files of a data folder that hold any of these texts. */
const filesWith = (folder: string, texts: readonly string[]): readonly string[] =>
  readdirSync(folder).filter((name) => {
    const bytes = readFileSync(join(folder, name));
    return texts.some((text) => bytes.includes(text));
  });

administeredAccountsSuite(startInstance, async (instance, texts) => {
  const { data } = instance as EmbeddedInstance;
  // The search finds what is there.
  const kept = someName('kept');
  await instance.api.register(kept);
  await instance.server().kill();
  expect(filesWith(data, [kept])).not.toEqual([]);
  expect(filesWith(data, texts)).toEqual([]);
});

describe('a server where people register by invite', () => {
  let instance: EmbeddedInstance;
  let admin: Api;

  const register = (more: object = {}) =>
    instance.api.request<{ token: string }>('POST', '/auth/register', {
      username: someName('ada'),
      password: PASSWORD,
      ...more,
    });
  const invited = (about: object) =>
    admin.ask<{ readonly id: string; readonly code: string }>('POST', '/registration-invites', about);

  beforeAll(async () => {
    instance = await startInstance({ ...LIMITS_OFF, PARLEY_REGISTRATION: 'invited' });
    const [, setup_code] = /\/setup#(\S+)/.exec(instance.server().output())!;
    const { token } = (await register({ setup_code })).body;
    admin = instance.api.as({ id: '', username: '', token, authorization: `Bearer ${token}` });
  });

  afterAll(() => instance?.close());

  it('admits as many as an invite says, while it lasts', async () => {
    const refused = (message: RegExp) => ({
      status: 403,
      body: { code: 40001, message: expect.stringMatching(message) },
    });
    expect(await register()).toMatchObject(refused(/by invite/));
    expect(await register({ invite: 'wrong' })).toMatchObject(refused(/unknown, used up or has expired/));
    const { code, id } = await invited({ max_uses: 2 });
    const results = await Promise.all([1, 2, 3, 4].map(() => register({ invite: code })));
    expect(results.map(({ status }) => status).sort()).toEqual([201, 201, 403, 403]);
    const [listed] = await admin.ask<readonly object[]>('GET', '/registration-invites');
    expect(listed).toMatchObject({ id, uses: 2, max_uses: 2 });
    expect(listed).not.toHaveProperty('code');
  });

  it('does not count a registration that is refused', async () => {
    const { code } = await invited({});
    const username = someName('ben');
    await invited({}).then((other) => register({ invite: other.code, username }));
    expect((await register({ invite: code, username })).status).toBe(400);
    expect((await register({ invite: code })).status).toBe(201);
    expect((await register({ invite: code })).status).toBe(403);
  });

  it('admits nobody by an invite that was deleted', async () => {
    const { code, id } = await invited({ max_uses: 0, max_age: 0 });
    expect((await register({ invite: code })).status).toBe(201);
    expect((await admin.request('DELETE', `/registration-invites/${id}`)).status).toBe(204);
    expect((await register({ invite: code })).status).toBe(403);
    expect((await admin.request('DELETE', `/registration-invites/${id}`)).status).toBe(404);
  });
});
