/** Events as an analyst reads them. */
import type { Api } from './api.ts';

export interface ReplayedEvent {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly sequence: number;
  readonly position: number;
  readonly time: number;
  readonly key: string | null;
  readonly traceparent: string | null;
  readonly data: { readonly messageId?: string; readonly ordinal?: number };
}

const lines = async (api: Api, path: string): Promise<ReplayedEvent[]> => {
  const response = await fetch(`${api.base}/v1${path}`, { headers: { authorization: api.account!.authorization } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${text}`);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ReplayedEvent);
};

/** @param api of the administrator */
export const replayStream = (api: Api, stream: string) => lines(api, `/streams/${stream}/events`);
