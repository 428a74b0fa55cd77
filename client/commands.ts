/** Commands without an answer yet. They are sent again with the same ids after every reconnect. */

import { randomUUID } from 'node:crypto';
import { Op } from '../schemas/gateway/frames.ts';
import type { CommandFields } from './command-types.ts';

/**
 * A command as the socket carries it. With an `id` it is carried out once, however often it is sent. The default is a
 * new id. `audit_log_reason` says why, for the audit log: 512 characters at most.
 */
export type OutgoingCommand = {
  [K in keyof CommandFields]: {
    readonly type: K;
    readonly id?: string;
    readonly audit_log_reason?: string;
  } & CommandFields[K];
}[keyof CommandFields];

export interface CommandResult {
  readonly id: string;
  readonly ok: true;
  /** At or after the command's events in the whole log. */
  readonly position: number;
  readonly stream: string;
  readonly sequence: number;
  /** What the HTTP route of the same name answers. */
  readonly result: unknown;
}

interface RefusalBody {
  readonly code: number;
  readonly message: string;
  readonly errors?: unknown;
  readonly retry_after?: number;
}

/** The `d` of an op 101. */
export type ResultFrame = CommandResult | { readonly id: string; readonly ok: false; readonly error: RefusalBody };

/** The server refused the command. */
export class CommandRefused extends Error {
  readonly code: number;
  readonly errors: unknown;
  /** Seconds to wait; set for a rate limit or when the server is unavailable. */
  readonly retryAfter: number | undefined;

  constructor({ code, message, errors, retry_after }: RefusalBody) {
    super(message);
    this.code = code;
    this.errors = errors;
    this.retryAfter = retry_after;
  }
}

interface SentCommand {
  readonly frame: string;
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (reason: Error) => void;
}

export class PendingCommands {
  /** In the order in which they were given. */
  private readonly waiting = new Map<string, SentCommand>();

  get size(): number {
    return this.waiting.size;
  }

  /** @returns the frame to send, and the outcome once the server reports it */
  add(command: OutgoingCommand): { readonly frame: string; readonly outcome: Promise<CommandResult> } {
    const id = command.id ?? randomUUID();
    if (this.waiting.has(id)) throw new Error(`the command ${id} is already waiting for its answer`);
    const frame = JSON.stringify({ op: Op.command, d: { ...command, id } });
    const outcome = new Promise<CommandResult>((resolve, reject) => {
      this.waiting.set(id, { frame, resolve, reject });
    });
    return { frame, outcome };
  }

  resolve(result: ResultFrame): void {
    const waiting = this.waiting.get(result.id);
    if (waiting === undefined) return;
    this.waiting.delete(result.id);
    if (result.ok) waiting.resolve(result);
    else waiting.reject(new CommandRefused(result.error));
  }

  frames(): string[] {
    return [...this.waiting.values()].map((one) => one.frame);
  }

  failAll(reason: Error): void {
    for (const one of this.waiting.values()) one.reject(reason);
    this.waiting.clear();
  }
}
