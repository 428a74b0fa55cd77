/** Bodies that a route must refuse, made from the schema of those that it takes. */

import type { JsonSchema } from '../../http/openapi.ts';

export interface BadBody {
  readonly body: unknown;
  /** The fields that lead to what is wrong. */
  readonly at: readonly string[];
}

/** How a `$ref` is looked up. */
type Named = Readonly<Record<string, JsonSchema>>;

const DEEPEST = 4;

const OF_KINDS: readonly (readonly [kind: string, value: unknown])[] = [
  ['boolean', true],
  ['number', 1.5],
  ['string', '\u0000'],
  ['object', { unexpected: true }],
  ['array', [[[]]]],
  ['null', null],
];

export class Bodies {
  private readonly named: Named;

  constructor(named: Named) {
    this.named = named;
  }

  private plain(schema: JsonSchema): JsonSchema {
    return schema.$ref === undefined ? schema : this.plain(this.named[schema.$ref.split('/').at(-1)!]!);
  }

  /** Its alternatives; itself, where there are none. */
  private oneOf(schema: JsonSchema): readonly JsonSchema[] {
    const plain = this.plain(schema);
    return plain.anyOf === undefined ? [plain] : plain.anyOf.flatMap((one) => this.oneOf(one));
  }

  /** The least that fits. */
  valid(given: JsonSchema): unknown {
    const schema = this.oneOf(given)[0]!;
    if (schema.enum !== undefined) return schema.enum[0];
    if (schema.const !== undefined) return schema.const;
    if (schema.pattern !== undefined) return '1';
    if (schema.format === 'date-time') return new Date().toISOString();
    if (schema.type === 'string') return 'x'.repeat(Math.max(1, schema.minLength ?? 0));
    if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 0;
    if (schema.type === 'boolean') return false;
    if (schema.type === 'array') return Array.from({ length: schema.minItems ?? 0 }, () => this.valid(schema.items!));
    return Object.fromEntries(
      (schema.required ?? []).map((name) => [name, this.valid(schema.properties?.[name] ?? {})]),
    );
  }

  private kindsOf(given: JsonSchema): ReadonlySet<string> | undefined {
    const kinds = this.oneOf(given).flatMap(({ type, enum: values, const: value, allOf }) => {
      if (allOf !== undefined) return ['object'];
      if (values !== undefined) return values.map((one) => (one === null ? 'null' : typeof one));
      if (value !== undefined) return [typeof value];
      return type === 'integer' ? ['number'] : [type];
    });
    return kinds.includes(undefined) ? undefined : new Set(kinds as string[]);
  }

  /** Bodies of the wrong kind and beyond what a field may hold, however deep the field is. */
  bad(given: JsonSchema, depth = 0): readonly BadBody[] {
    const kinds = this.kindsOf(given);
    // What the schema does not describe.
    if (kinds === undefined) return [];
    const wrongKinds = OF_KINDS.filter(([kind]) => !kinds.has(kind)).map(([, body]) => ({ body, at: [] }));
    const schemas = this.oneOf(given);
    // Of several alternatives only what fits none is known to be wrong.
    const [schema] = schemas.filter(({ type }) => type !== 'null');
    const others = schemas.filter(({ type }) => type !== 'null').length > 1;
    if (schema === undefined || others || depth === DEEPEST) return wrongKinds;
    return [...wrongKinds, ...this.beyond(schema), ...this.within(schema, depth)];
  }

  private beyond({ type, maxLength, maximum, minimum, pattern, enum: values }: JsonSchema): readonly BadBody[] {
    const wrong: unknown[] = [];
    if (maxLength !== undefined) wrong.push('x'.repeat(maxLength + 1));
    if (maximum !== undefined) wrong.push(maximum + 1);
    if (minimum !== undefined) wrong.push(minimum - 1);
    if (type === 'integer') wrong.push(0.5, '1');
    if (pattern !== undefined) wrong.push('-1', 'x', '', '01', '9'.repeat(40));
    if (values !== undefined) wrong.push('no such value', -1);
    return wrong.map((body) => ({ body, at: [] }));
  }

  private within(schema: JsonSchema, depth: number): readonly BadBody[] {
    const { type, properties = {}, items, maxItems, required = [] } = schema;
    if (type === 'array' && items !== undefined) {
      const tooMany = maxItems === undefined || maxItems > 1_000 ? [] : [maxItems + 1];
      return [
        ...this.bad(items, depth + 1).map(({ body, at }) => ({ body: [body], at: ['0', ...at] })),
        ...tooMany.map((length) => ({ body: Array.from({ length }, () => this.valid(items)), at: [] })),
      ];
    }
    const least = this.valid(schema) as Readonly<Record<string, unknown>>;
    const without = required.map((name) => ({ body: { ...least, [name]: undefined }, at: [name] }));
    const wrong = Object.entries(properties).flatMap(([name, one]) =>
      this.bad(one, depth + 1).map(({ body, at }) => ({
        body: { ...least, [name]: body, unexpected_field: 1 },
        at: [name, ...at],
      })),
    );
    return [...without, ...wrong];
  }
}
