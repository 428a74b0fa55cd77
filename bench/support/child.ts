/** Programs that run beside the server in their own processes, so that their cost is not the server's. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

type Method = (argument: never) => unknown;
export type Program = Readonly<Record<string, Method>>;

/** The same methods, called over IPC. */
export type Remote<P extends Program> = {
  readonly [K in keyof P]: (argument: Parameters<P[K]>[0]) => Promise<Awaited<ReturnType<P[K]>>>;
};

export interface Child<P extends Program> {
  readonly pid: number;
  readonly call: Remote<P>;
  stop(): Promise<void>;
}

interface Call {
  readonly id: number;
  readonly method: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Starts this same script as the named program; see `bench/children`. */
export const startChild = async <P extends Program>(name: string): Promise<Child<P>> => {
  const child: ChildProcess = fork(process.argv[1]!, ['child', name], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let calls = 0;
  child.on('message', ({ id, result, error }: Answer) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(`${name}: ${error}`));
  });
  const gone = once(child, 'exit');
  child.once('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`${name} ended with ${code}`));
  });
  await once(child, 'spawn');
  const call = new Proxy({} as Remote<P>, {
    get: (_, method: string) => (argument: unknown) =>
      new Promise((resolve, reject) => {
        calls += 1;
        waiting.set(calls, { resolve, reject });
        child.send({ id: calls, method, argument } satisfies Call);
      }),
  });
  return {
    pid: child.pid!,
    call,
    stop: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
};

/** Answers calls until the parent is gone. */
export const serveProgram = (program: Program): void => {
  process.on('message', async ({ id, method, argument }: Call) => {
    try {
      const result = await program[method]!(argument as never);
      process.send!({ id, result } satisfies Answer);
    } catch (error) {
      process.send!({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.once('disconnect', () => process.exit());
};
