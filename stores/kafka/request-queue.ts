/**
 * Keeps kafkajs's connections quiet. Each of them looks for requests to send every millisecond, though none waits, for as
 * long as it is open (kafkajs's issue 1704). A request that waits is looked for by whatever made it wait.
 */
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

const { scheduleCheckPendingRequests } = RequestQueue.prototype;

RequestQueue.prototype.scheduleCheckPendingRequests = function () {
  if (this.pending.length > 0) scheduleCheckPendingRequests.call(this);
};
