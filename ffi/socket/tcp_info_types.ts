/**
 * The state of a TCP connection, by RFC 9293's name.
 *
 * @category Options
 */
export type TcpState =
  | "CLOSED"
  | "LISTEN"
  | "SYN-SENT"
  | "SYN-RECEIVED"
  | "ESTABLISHED"
  | "FIN-WAIT-1"
  | "FIN-WAIT-2"
  | "CLOSE-WAIT"
  | "CLOSING"
  | "LAST-ACK"
  | "TIME-WAIT";

/**
 * What the system knows of a TCP connection. A number that the system, or this version of it, does
 * not report is missing; one that has no limit or no value yet is `Infinity`.
 *
 * @category Options
 */
export interface TcpInfo {
  /** The state of the connection. */
  state: TcpState;
  /** The smoothed round-trip time. */
  roundTripMilliseconds: number;
  /** The mean deviation of the round-trip time. */
  roundTripDeviationMilliseconds: number;
  /** The lowest recent round-trip time (Linux). */
  minRoundTripMilliseconds?: number;
  /** The last round-trip time measured (macOS). */
  lastRoundTripMilliseconds?: number;
  /** The round-trip time as the receiver of data estimates it (Linux). */
  receiverRoundTripMilliseconds?: number;
  /** How long a segment may stay unacknowledged before it is sent again. */
  retransmitTimeoutMilliseconds: number;
  /** How long an acknowledgement may be delayed (Linux). */
  delayedAckTimeoutMilliseconds?: number;
  /** The congestion window (Linux). */
  congestionWindowSegments?: number;
  /** The congestion window (macOS, the BSDs). */
  congestionWindowBytes?: number;
  /** The congestion window at which slow start ends (Linux). */
  slowStartThresholdSegments?: number;
  /** The congestion window at which slow start ends (macOS, the BSDs). */
  slowStartThresholdBytes?: number;
  /** The largest segment that is sent. */
  sendMssBytes: number;
  /** The largest segment that is expected from the peer (not macOS). */
  receiveMssBytes?: number;
  /** The largest segment that the peer may send, as advertised to it (Linux). */
  advertisedMssBytes?: number;
  /** The largest packet that the path takes (Linux). */
  pathMtuBytes?: number;
  /** The window that the peer offers. */
  sendWindowBytes?: number;
  /** The window, or the room in the receive buffer, that is offered to the peer. */
  receiveSpaceBytes: number;
  /** The largest window to offer to the peer (Linux). */
  receiveThresholdBytes?: number;
  /** Time since data was sent (Linux, OpenBSD). */
  sinceDataSentMilliseconds?: number;
  /** Time since data was received (not macOS). */
  sinceDataReceivedMilliseconds?: number;
  /** Time since an acknowledgement was received (Linux, OpenBSD). */
  sinceAckReceivedMilliseconds?: number;
  /** Segments sent and not acknowledged (Linux). */
  unacknowledgedSegments?: number;
  /** Of these, those acknowledged selectively (Linux). */
  selectivelyAcknowledgedSegments?: number;
  /** Of these, those taken for lost (Linux). */
  lostSegments?: number;
  /** Of these, those sent again (Linux). */
  retransmittedSegments?: number;
  /** All segments that were sent again. */
  totalRetransmittedSegments?: number;
  /** How often in a row the retransmission timer has run out (Linux). */
  retransmitTimeouts?: number;
  /** Probes of a closed window or an idle peer without an answer (Linux). */
  unansweredProbes?: number;
  /** How often the retransmission timeout was doubled (Linux). */
  backoffs?: number;
  /** How far segments may be out of order before they are taken for lost (Linux). */
  reorderingSegments?: number;
  /** Events of reordering (Linux). */
  reorderings?: number;
  /** Segments received out of order (not macOS). */
  outOfOrderSegments?: number;
  /** Bytes received out of order (macOS). */
  outOfOrderBytes?: number;
  /** Segments that the peer has reported as duplicates (Linux). */
  duplicateSegments?: number;
  /** Segments sent, including those sent again (Linux, macOS). */
  sentSegments?: number;
  /** Segments received (Linux, macOS). */
  receivedSegments?: number;
  /** Segments with data sent (Linux). */
  sentDataSegments?: number;
  /** Segments with data received (Linux). */
  receivedDataSegments?: number;
  /** Segments that the peer has received (Linux). */
  deliveredSegments?: number;
  /** Segments that the peer has received with a mark of congestion (Linux, FreeBSD). */
  congestionMarkedSegments?: number;
  /** Bytes sent, on Linux including those sent again (Linux, macOS). */
  sentBytes?: number;
  /** Bytes received (Linux, macOS). */
  receivedBytes?: number;
  /** Bytes sent that the peer has acknowledged (Linux). */
  acknowledgedBytes?: number;
  /** Bytes sent again (Linux, macOS). */
  retransmittedBytes?: number;
  /** Bytes in the send buffer that were not sent yet (Linux). */
  unsentBytes?: number;
  /** Bytes in the send buffer, sent or not (macOS). */
  sendBufferBytes?: number;
  /** The rate at which segments are sent (Linux). */
  pacingRateBytesPerSecond?: number;
  /** The highest rate at which segments may be sent (Linux). */
  maxPacingRateBytesPerSecond?: number;
  /** The recent rate at which data arrived at the peer (Linux). */
  deliveryRateBytesPerSecond?: number;
  /** How long there was data to send or unacknowledged (Linux). */
  busyMilliseconds?: number;
  /** Of this time, how long the peer's window was too small (Linux). */
  receiveWindowLimitedMilliseconds?: number;
  /** Of this time, how long the send buffer was too small (Linux). */
  sendBufferLimitedMilliseconds?: number;
  /** How often the window that was offered closed (FreeBSD, OpenBSD). */
  zeroWindows?: number;
}
