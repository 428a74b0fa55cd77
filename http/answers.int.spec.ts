/** What OpenAPI says of the answers is what the server answered in the recorded conversation. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describedApi } from '../test/support/described-routes.ts';
import type { JsonSchema, Operation } from './openapi.ts';

const document = describedApi();
const named = (document.components as { schemas: Record<string, JsonSchema> }).schemas;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    path,
    method,
    operation,
  })),
);

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
  array: Array.isArray,
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

/** Where and how a value differs from its schema. A field that the schema does not name differs too. */
const misfits = (schema: JsonSchema, value: unknown, at: string): string[] => {
  if (schema.$ref !== undefined) return misfits(named[schema.$ref.split('/').at(-1)!]!, value, at);
  if (schema.anyOf !== undefined) {
    const tried = schema.anyOf.map((one) => misfits(one, value, at));
    return tried.some((one) => one.length === 0) ? [] : tried.flat();
  }
  if (schema.enum !== undefined) return schema.enum.includes(value) ? [] : [`${at} is ${value}`];
  if (schema.const !== undefined) return schema.const === value ? [] : [`${at} is ${value}`];
  // The recording has `<position>` and the like in place of numbers that differ each time.
  const isPlaceholder = typeof value === 'string' && /^<.*>$/.test(value);
  if (schema.type !== undefined && !isPlaceholder && !TYPES[schema.type]!(value))
    return [`${at} is no ${schema.type}: ${value}`];
  if (Array.isArray(value)) {
    if (value.length > (schema.maxItems ?? Number.POSITIVE_INFINITY)) return [`${at} has ${value.length}`];
    return value.flatMap((item, i) => misfits(schema.items ?? {}, item, `${at}[${i}]`));
  }
  const { properties, required = [] } = schema;
  if (properties === undefined) return [];
  const fields = value as Readonly<Record<string, unknown>>;
  return [
    ...required.filter((name) => !(name in fields)).map((name) => `${at} lacks ${name}`),
    ...Object.entries(fields).flatMap(([name, one]) =>
      properties[name] === undefined ? [`${at} has ${name}`] : misfits(properties[name], one, `${at}.${name}`),
    ),
  ];
};

interface Exchange {
  readonly request?: string;
  readonly status?: number;
  readonly answer?: unknown;
}

const exchanges = JSON.parse(readFileSync('test/recordings/conversation.json', 'utf8')) as readonly Exchange[];

const operationOf = (request: string): Operation | undefined => {
  // Ids are recorded as `<id 7>`.
  const [, method, url = ''] = /^(\S+) (.*)$/.exec(request) ?? [];
  const path = url
    .replace(/^\/(v1|api\/v10|api\/v9|api)(?=\/)/, '')
    .split('?')[0]!
    .split('/');
  const fits = (pattern: string) => {
    const wanted = pattern.split('/');
    return wanted.length === path.length && wanted.every((part, i) => part.startsWith('{') || part === path[i]);
  };
  const found = operations.filter((one) => one.method.toUpperCase() === method && fits(one.path));
  return found.sort((a, b) => a.path.split('{').length - b.path.split('{').length)[0]?.operation;
};

describe('OpenAPI', () => {
  it.each(operations)('has a typed answer, limits and refusals of $name', ({ operation }) => {
    const [first, ...more] = Object.entries(operation.responses);
    const [status, answer] = first!;
    expect(['200', '201', '204']).toContain(status);
    const schemas = Object.values(answer.content ?? {}).map(({ schema }) => schema);
    if (status !== '204') expect(schemas).not.toEqual([]);
    for (const schema of schemas) expect(Object.keys(schema)).not.toEqual([]);
    expect(more.map(([code]) => code)).toEqual(expect.arrayContaining(['400', '404', '429', '503']));
    expect(operation.responses['429']!.headers).toHaveProperty('Retry-After');
  });

  it('requires a body where a request without one is refused: of a required field, of a list, of one of several fields', () => {
    const withBody = operations.filter(({ operation }) => operation.requestBody !== undefined);
    const required = withBody.filter(({ operation }) => operation.requestBody!.required);
    const withoutRequiredField = required.filter(
      ({ operation }) => operation.requestBody!.content['application/json'].schema.required === undefined,
    );
    expect(withoutRequiredField.map(({ name }) => name).sort()).toEqual([
      'PATCH /guilds/{guild_id}/channels',
      'PATCH /guilds/{guild_id}/roles',
      'POST /channels/{channel_id}/messages',
      'POST /users/@me/channels',
    ]);
    for (const { operation } of withBody.filter((one) => !required.includes(one)))
      expect(operation.requestBody!.content['application/json'].schema.required).toBeUndefined();
  });

  it('names the header Idempotency-Key where it counts: at every POST but those that sign in or out, or use a code', () => {
    const without = operations.filter(
      ({ operation: { parameters } }) => !parameters.some(({ name }) => name === 'Idempotency-Key'),
    );
    expect(without.filter(({ method }) => method === 'post').map(({ path }) => path)).toEqual([
      '/login',
      '/auth/refresh',
      '/auth/logout',
      '/auth/logout/everywhere',
      '/auth/sessions/logout',
      '/auth/reset',
      '/users/@me/delete',
    ]);
    expect(operations.length - without.length).toBeGreaterThan(10);
  });

  it('tells what every recorded answer looks like', () => {
    const seen = new Set<Operation>();
    const wrong = exchanges.flatMap(({ request, status = 0, answer }) => {
      const operation = request === undefined || status >= 300 || status < 200 ? undefined : operationOf(request);
      if (operation === undefined) return [];
      seen.add(operation);
      const described = operation.responses[status];
      if (described === undefined) return [`${request}: ${status}`];
      const json = described.content?.['application/json'];
      return json === undefined ? [] : misfits(json.schema, answer, request!);
    });
    expect(wrong).toEqual([]);
    expect(seen.size).toBeGreaterThan(operations.length / 2);
  });
});
