/** Of what is inside kafkajs, what we use. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  interface RequestQueue {
    readonly pending: readonly unknown[];
    throttledUntil: number;
    scheduleCheckPendingRequests(): void;
    checkPendingRequests(): void;
    destroy(): void;
    push(request: unknown): void;
  }
  const RequestQueue: { readonly prototype: RequestQueue; new (options: unknown): RequestQueue };
  export default RequestQueue;
}
