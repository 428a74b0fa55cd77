/** Generated nonsense on every route gets a refusal from the catalogue, never a fault, never a crash. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, someName } from '../support/api.ts';
import type { Instance, StartInstance } from '../support/instance.ts';
import { expectNoFault, expectRefusal } from '../support/refusals.ts';
import { everyRoute, filled, type RouteShape } from '../support/routes.ts';

/** Parameters that no route takes for an id. Dots alone would be resolved before they are sent. */
const badParameter = fc.oneof(
  fc.constantFrom('0x10', '-1', '1.5', '99999999999999999999', 'NaN', '%00', '../..', '‮', ' ', 'me@'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((text) => !/^[\d.]*$|^@me$/.test(text)),
);

const fieldNames = fc.constantFrom(
  'username',
  'password',
  'name',
  'content',
  'embeds',
  'nonce',
  'message_reference',
  'allowed_mentions',
  'flags',
  'type',
  'topic',
  'permission_overwrites',
  'max_age',
  'max_uses',
  'recipient_id',
  'application_id',
  '__proto__',
  'constructor',
);
const badBody = fc.oneof(
  fc.dictionary(fieldNames, fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('', 'a'.repeat(5_000), -1, 1e308))),
  fc.jsonValue(),
);

/** Routes that keep answering while the client listens. */
const followed = (route: RouteShape) => /\/events$/.test(route.path);

/** @param runs for each route; twice as many for its body */
export const badInputSuite = (start: StartInstance, runs = 12) =>
  describe('bad input over HTTP', { timeout: 120_000 }, () => {
    let instance: Instance;
    let person: Api;
    let routes: RouteShape[];

    /** Sends the bytes unchanged. */
    const raw = async (route: RouteShape, path: string, init: RequestInit & { headers?: Record<string, string> }) => {
      const response = await fetch(`${instance.url}/v1${path}`, {
        method: route.method,
        ...init,
        headers: { authorization: person.account!.authorization, ...init.headers },
        signal: AbortSignal.timeout(10_000),
      });
      const text = await response.text();
      let body: unknown = text;
      try {
        body = JSON.parse(text);
      } catch {
        // Not JSON: an answer without a body, or lines of JSON.
      }
      return { status: response.status, body, headers: response.headers };
    };

    beforeAll(async () => {
      instance = await start();
      // Whoever administers the server reaches more routes.
      person = instance.api.as(instance.administrator ?? (await instance.api.register(someName('mallory'))));
      routes = await everyRoute(instance.url);
      expect(routes.length).toBeGreaterThan(15);
    });

    afterAll(async () => {
      expect(instance?.server().alive()).toBe(true);
      await instance?.close();
    });

    it('in the parameters of any path is refused', async () => {
      for (const route of routes.filter((each) => each.parameters.length > 0 && !followed(each))) {
        const one = fc.array(badParameter, { minLength: route.parameters.length, maxLength: route.parameters.length });
        await fc.assert(
          fc.asyncProperty(one, async (values) => {
            const path = filled(route.path, values);
            const answer = await raw(route, path, route.takesBody ? { body: '{}', headers: json } : {});
            expectRefusal(answer, `${route.method} ${path}`);
          }),
          { numRuns: runs },
        );
      }
    });

    const json = { 'content-type': 'application/json' };

    it('in the body of any route is refused, or happens to be valid', async () => {
      const guild = await person.createGuild('Nonsense');
      for (const route of routes.filter((each) => each.takesBody)) {
        // The channel exists, so the body decides.
        const path = filled(
          route.path,
          route.parameters.map((name) => (/guild/.test(name) ? guild.id : guild.channel.id)),
        );
        await fc.assert(
          fc.asyncProperty(badBody, async (body) => {
            const answer = await raw(route, path, { body: JSON.stringify(body), headers: json });
            expectNoFault(answer, `${route.method} ${path} ${JSON.stringify(body)}`);
          }),
          { numRuns: 2 * runs },
        );
      }
    });

    it.each([
      ['is not JSON', '{"content": ', json, 400],
      ['is JSON of another kind', '[[1]]', json, 400],
      ['is empty', '', json, 400],
      ['says it is text', 'hello', { 'content-type': 'text/plain' }, 415],
      ['is larger than anything we take', JSON.stringify({ content: 'x'.repeat(1_060_000) }), json, 413],
    ])('in a body that %s is refused', async (_, body, headers, status) => {
      const send = routes.find(
        (route) => route.method === 'POST' && /^\/channels\/\{\w+\}\/messages$/.test(route.path),
      )!;
      const { channel } = await person.createGuild('Bodies');
      const answer = await raw(send, filled(send.path, [channel.id]), { body, headers });
      expectRefusal(answer, body.slice(0, 50));
      expect(answer.status).toBe(status);
    });

    it('in the query of any GET is refused, or happens to be valid', async () => {
      const guild = await person.createGuild('Queries');
      const query = fc.dictionary(
        fc.constantFrom(
          'limit',
          'before',
          'after',
          'around',
          'before_sequence',
          'after_sequence',
          'prefix',
          'types',
          'from',
          'to',
        ),
        fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('-1', '0', '101', '1e9', '9'.repeat(30), 'null')),
      );
      for (const route of routes.filter((each) => each.method === 'GET')) {
        const path = filled(
          route.path,
          route.parameters.map((name) => (/guild/.test(name) ? guild.id : guild.channel.id)),
        );
        await fc.assert(
          fc.asyncProperty(query, async (parameters) => {
            const whole = `${path}?${new URLSearchParams(parameters)}`;
            expectNoFault(await raw(route, whole, {}), `${route.method} ${whole}`);
          }),
          { numRuns: runs },
        );
      }
    });

    it('in the path or the method is refused', async () => {
      const paths = [
        '/nothing/here',
        '/channels',
        '/channels/1/messages/2/3/4',
        '/%',
        '/%ff',
        '//',
        '/users/@me/../../x',
      ];
      for (const path of paths) {
        for (const method of ['GET', 'POST', 'DELETE', 'PATCH', 'OPTIONS']) {
          const answer = await raw({ method } as RouteShape, path, {});
          expectRefusal(answer, `${method} ${path}`);
        }
      }
    });
  });
