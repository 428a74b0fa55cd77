import { ErrorType } from '@eventstore/db-client';
import { describe, expect, it } from 'vitest';
import { StandIn } from '../../log/kurrentdb/stand-in/testing.ts';
import { systemClock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { NoAnswer } from './failures.ts';
import { Line, ReadingConnection, StaleServer, UserRefused } from './reading-connection.ts';

const NOWHERE = 'esdb://127.0.0.1:1,127.0.0.1:2?tls=false&maxDiscoverAttempts=1';

describe('a line', () => {
  it('ends no process when its client finds no server, though nobody waits for what it finds', async () => {
    const line = new Line(NOWHERE);
    const innards = line.client as unknown as {
      getChannel(): Promise<unknown>;
      handleError(of: unknown, error: Error): Promise<void>;
    };
    const looking = innards.getChannel().catch((failure: Error) => failure.message);
    // As the client calls it when a stream of an earlier connection breaks: without waiting.
    void innards.handleError({ getChannel: () => undefined }, Object.assign(new Error(), { code: 14, details: '' }));
    expect(await looking).toContain('Failed to discover');
    line.giveUp();
  });

  it('that is given up closes its connection, and opens no other for what still waits', async () => {
    const server = await new StandIn().start();
    server.front.freeze();
    const line = new Line(server.url);
    const read = line.client.readAll({ maxCount: 1 });
    read.on('error', () => {});
    await expect.poll(() => server.front.connections.size).toBe(1);
    line.giveUp();
    line.client.readAll({ maxCount: 1 }).on('error', () => {});
    server.front.thaw();
    await expect.poll(() => server.front.connections.size).toBe(0);
    expect(server.front.accepted).toBe(1);
    await server.stop();
  });

  it('has a connection of its own, also where the URL sets what grpc-js compares', async () => {
    const server = await new StandIn().start();
    const lines = [1, 2, 3].map(() => new Line(`${server.url}&keepAliveTimeout=5000`));
    for (const line of lines) for await (const _ of line.client.readAll({ maxCount: 1 })) break;
    expect(server.front.accepted).toBe(3);
    for (const line of lines) line.giveUp();
    await expect.poll(() => server.front.connections.size).toBe(0);
    await server.stop();
  });
});

describe('a question over the reading connection', () => {
  const asked = async (failures: readonly unknown[]) => {
    const connection = new ReadingConnection(NOWHERE, 100, systemClock);
    const lines: Line[] = [];
    const answer = connection.ask(async (line) => {
      lines.push(line);
      const failure = failures[lines.length - 1];
      if (failure !== undefined) throw failure;
      return 'answer';
    });
    const settled = await answer.catch((failure: unknown) => failure);
    connection.close();
    return { settled, lines };
  };

  it.each([[new NoAnswer(100)], [new StaleServer()]])('goes over another line after: %s', async (failure) => {
    const { settled, lines } = await asked([failure]);
    expect(settled).toBe('answer');
    expect(lines[1]).not.toBe(lines[0]);
    expect(lines[0]!.ended.aborted).toBe(true);
  });

  it('goes over the same line after a failure that the server has told, and is asked twice at most', async () => {
    const { settled, lines } = await asked([new Error('broken'), new Error('broken'), undefined]);
    expect(settled).toBeInstanceOf(StoreUnavailable);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toBe(lines[0]);
  });

  it('is not repeated where our user is refused, and says so', async () => {
    const denied = Object.assign(new Error('16 UNAUTHENTICATED'), { type: ErrorType.ACCESS_DENIED });
    const { settled, lines } = await asked([denied]);
    expect(settled).toBeInstanceOf(UserRefused);
    expect(String(settled)).toContain('127.0.0.1:1,127.0.0.1:2 does not let our user read');
    expect(lines).toHaveLength(1);
  });
});
