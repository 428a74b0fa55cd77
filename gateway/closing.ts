/** Why a socket is closed: the code libraries act on, and a reason for people. */
import { CloseCode } from '../schemas/gateway/frames.ts';

export interface Closing {
  readonly code: number;
  readonly reason: string;
}

const closing = (code: number, reason: string): Closing => ({ code, reason });

/** Codes 4000 and 1012 make clients resume. */
export const Closings = {
  restarting: closing(CloseCode.serviceRestart, 'Restarting'),
  failed: closing(CloseCode.unknownError, 'Unknown error'),
  notDelivered: closing(CloseCode.unknownError, 'Delivery failed'),
  notReady: closing(CloseCode.unknownError, 'Not ready'),
  tooSlow: closing(CloseCode.unknownError, 'Too slow'),
  unknownOpcode: closing(CloseCode.unknownOpcode, 'Unknown opcode'),
  undecodable: closing(CloseCode.decodeError, 'Frames are JSON text: {op, d}'),
  tooLong: closing(CloseCode.decodeError, 'Frame too long'),
  wrongPayload: closing(CloseCode.decodeError, 'The payload does not fit its opcode'),
  notAuthenticated: closing(CloseCode.notAuthenticated, 'Identify first'),
  badToken: closing(CloseCode.authenticationFailed, 'Authentication failed'),
  alreadyAuthenticated: closing(CloseCode.alreadyAuthenticated, 'Already authenticated'),
  invalidSequence: closing(CloseCode.invalidSequence, 'Invalid seq'),
  rateLimited: closing(CloseCode.rateLimited, 'Too many frames'),
  identifyInTime: closing(CloseCode.sessionTimedOut, 'Identify in time'),
  noHeartbeat: closing(CloseCode.sessionTimedOut, 'No heartbeat'),
  invalidShard: closing(CloseCode.invalidShard, 'Invalid shard'),
  invalidVersion: closing(CloseCode.invalidVersion, 'Speak v=10 and encoding=json, without compress'),
  invalidIntents: closing(CloseCode.invalidIntents, 'Invalid intents'),
} as const;
