/** Sends what several partitions publish in one turn of the event loop in one write: a page of the relay moves all of them. */

export interface NamedMessage {
  readonly name: string;
  readonly text: string;
}

interface Waiting {
  readonly messages: readonly NamedMessage[];
  readonly resolve: () => void;
  readonly reject: (failure: unknown) => void;
}

/** @param send answers with the failure of each message, in order; rejects if none of them may have been sent */
export const sentTogether = (
  send: (messages: readonly NamedMessage[]) => Promise<readonly (Error | null)[]>,
): ((messages: readonly NamedMessage[]) => Promise<void>) => {
  let waiting: Waiting[] = [];
  const flush = async (): Promise<void> => {
    const all = waiting;
    waiting = [];
    try {
      const failures = await send(all.flatMap(({ messages }) => messages));
      let at = 0;
      for (const { messages, resolve, reject } of all) {
        const failure = failures.slice(at, at + messages.length).find((one) => one !== null);
        at += messages.length;
        if (failure === undefined) resolve();
        else reject(failure);
      }
    } catch (failure) {
      for (const { reject } of all) reject(failure);
    }
  };
  return (messages) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(() => void flush());
      waiting.push({ messages, resolve, reject });
    });
};
