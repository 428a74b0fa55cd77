import { errors, types } from 'cassandra-driver';
import { describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { classify, reasonsOf } from './failures.ts';

const { responseErrorCodes: code } = types;
const answered = (number: number, message = 'said the server') => new errors.ResponseError(number, message);

describe('a failure of Cassandra', () => {
  it.each([
    'serverError',
    'unavailableException',
    'overloaded',
    'isBootstrapping',
    'writeTimeout',
    'readTimeout',
    'readFailure',
    'writeFailure',
    'unprepared',
  ] as const)('%s is transient', (name) => expect(classify(answered(code[name]))).toBe('transient'));

  it.each(['syntaxError', 'unauthorized', 'configError', 'alreadyExists', 'functionFailure'] as const)(
    '%s is damage, which waiting does not repair',
    (name) => expect(classify(answered(code[name]))).toBe('damaged'),
  );

  it('is damage if a table or the keyspace is gone, as Cassandra and ScyllaDB word it', () => {
    for (const message of ['unconfigured table x', 'table x does not exist', "Keyspace 'x' does not exist"])
      expect(classify(answered(code.invalid, message))).toBe('damaged');
    const gone = answered(code.invalid, "Keyspace 'x' does not exist");
    expect(classify(new errors.NoHostAvailableError({ 'a:1': gone }))).toBe('damaged');
  });

  it('is permanent if it is about values, and a bug if the driver never sent it', () => {
    for (const failure of [answered(code.invalid, 'Value too large'), new SyntaxError('Cannot convert x to a BigInt')])
      expect(classify(failure)).toBe('permanent');
    for (const failure of [new TypeError('Not a valid BigInt value'), new RangeError('no')])
      expect(classify(failure)).toBe('bug');
  });

  it('is transient if no server answered, or with an unknown code', () => {
    const unknown = [answered(0x7777), new Error('so'), new StoreUnavailable('timelines', 5), undefined];
    for (const failure of [new errors.OperationTimedOutError('so'), new errors.NoHostAvailableError({}), ...unknown])
      expect(classify(failure)).toBe('transient');
  });

  it('is damage if the settings are wrong, whichever node reports it', () => {
    for (const setting of [new errors.ArgumentError('no such data centre'), new errors.AuthenticationError('no')]) {
      expect(classify(setting)).toBe('damaged');
      expect(classify(new errors.NoHostAvailableError({ 'a:1': setting }))).toBe('damaged');
    }
  });

  it('names every node tried, with its reason', () => {
    const inner = { 'a:1': new Error('refused'), 'b:2': new Error('too slow') };
    expect(reasonsOf(new errors.NoHostAvailableError(inner))).toBe('a:1: Error: refused; b:2: Error: too slow');
    expect(reasonsOf(new Error('so'))).toBe('so');
  });
});
