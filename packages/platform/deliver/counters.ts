// What delivery counts, as plain numbers. The metrics page reads them; nothing here knows how.

export class DeliveryCounters {
  framesSent = 0;
  bytesSent = 0;
  documentsSent = 0;
  deltasSent = 0;
  currentsSent = 0;
  streamsOpened = 0;
  streamsReplaced = 0;
  streamsLost = 0;
  streamsLimited = 0;
  streamsDuplicate = 0;
  framesReceived = 0;
  framesMalformed = 0;
  /** Of a kind that only a later agent knows. */
  framesUnknown = 0;
  resyncs = 0;
  gapsRead = 0;
  changesTaken = 0;
  enrolments = 0;
  renewals = 0;
  refusals = 0;
  /** Batches of changes written to all streams they reach, and the time that took since their commit was announced. */
  batches = 0;
  batchMsTotal = 0;
  /** Called for every batch; the metrics page hangs its histogram here. */
  onBatch: (elapsedMs: number) => void = () => undefined;

  /** By names that the metrics page shows. */
  list(): Readonly<Record<string, number>> {
    return {
      frames_sent: this.framesSent,
      bytes_sent: this.bytesSent,
      documents_sent: this.documentsSent,
      deltas_sent: this.deltasSent,
      currents_sent: this.currentsSent,
      frames_received: this.framesReceived,
      frames_malformed: this.framesMalformed,
      frames_unknown: this.framesUnknown,
      streams_opened: this.streamsOpened,
      streams_replaced: this.streamsReplaced,
      streams_lost: this.streamsLost,
      streams_limited: this.streamsLimited,
      streams_duplicate: this.streamsDuplicate,
      resyncs: this.resyncs,
      changes_taken: this.changesTaken,
      gaps_read: this.gapsRead,
      batches: this.batches,
      batch_ms: this.batchMsTotal,
      enrolments: this.enrolments,
      renewals: this.renewals,
      refusals: this.refusals,
    };
  }

  batchWritten(elapsedMs: number): void {
    this.batches++;
    this.batchMsTotal += elapsedMs;
    this.onBatch(elapsedMs);
  }
}
