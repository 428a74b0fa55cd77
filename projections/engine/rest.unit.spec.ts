import { describe, expect, it } from 'vitest';
import { Turns } from './rest.ts';

/** A promise and the function that resolves it. */
const gate = () => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
};

describe('turns of batches and readers', () => {
  it('serve a reader at once when idle', async () => {
    const turns = new Turns();
    let served = false;
    const read = turns.atRest(async () => {
      served = true;
    });
    expect(served).toBe(true);
    await read;
  });

  it('make a reader wait for the batch under way, and the next batch wait for the reader', async () => {
    const turns = new Turns();
    const order: string[] = [];
    const [first, reader] = [gate(), gate()];
    const batch = turns.batch(async () => {
      await first.opened;
      order.push('first batch');
    });
    const read = turns.atRest(async () => {
      order.push('reader begins');
      await reader.opened;
      order.push('reader ends');
    });
    first.open();
    await batch;
    const next = turns.batch(async () => {
      order.push('second batch');
    });
    reader.open();
    await Promise.all([read, next]);
    expect(order).toEqual(['first batch', 'reader begins', 'reader ends', 'second batch']);
  });

  it('never run two readers at once', async () => {
    const turns = new Turns();
    let running = 0;
    let most = 0;
    const read = () =>
      turns.atRest(async () => {
        running += 1;
        most = Math.max(most, running);
        await Promise.resolve();
        running -= 1;
      });
    await Promise.all(Array.from({ length: 20 }, read));
    expect(most).toBe(1);
  });

  it('let a batch run although many readers are waiting', async () => {
    const turns = new Turns();
    let served = 0;
    const readers = Array.from({ length: 500 }, () =>
      turns.atRest(async () => {
        served += 1;
      }),
    );
    let servedBefore = Number.POSITIVE_INFINITY;
    await turns.batch(async () => {
      servedBefore = served;
    });
    expect(servedBefore).toBeLessThanOrEqual(100);
    await Promise.all(readers);
    expect(served).toBe(500);
  });

  it('continue after a reader or a batch fails', async () => {
    const turns = new Turns();
    await expect(turns.atRest(() => Promise.reject(new Error('reader')))).rejects.toThrow('reader');
    await expect(turns.batch(() => Promise.reject(new Error('batch')))).rejects.toThrow('batch');
    expect(await turns.atRest(async () => 'served')).toBe('served');
  });
});
