import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import './request-queue.ts';

const quiet = { debug: () => {}, warn: () => {} };
let sent: number[];
let queue: InstanceType<typeof RequestQueue>;

const push = (correlationId: number) =>
  queue.push({
    entry: { correlationId, resolve: () => {}, reject: () => {} },
    expectResponse: false,
    sendRequest: () => void sent.push(correlationId),
  });

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  queue = new RequestQueue({
    maxInFlightRequests: null,
    requestTimeout: 1000,
    clientId: '',
    broker: '',
    logger: quiet,
  });
});
afterEach(() => {
  queue.destroy();
  vi.useRealTimers();
});

describe('a connection of kafkajs', () => {
  it('sets no timer while no request waits', () => {
    push(1);
    queue.checkPendingRequests();
    expect(sent).toEqual([1]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('sends a request that waits once the broker allows it, and is quiet again', async () => {
    queue.throttledUntil = Date.now() + 500;
    push(1);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(520);
    expect(sent).toEqual([1]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
