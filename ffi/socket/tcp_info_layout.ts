/**
 * What the fields of `struct tcp_info`, and of macOS's `struct tcp_connection_info`, mean.
 *
 * @module
 */

import type { Abi, Field } from "../abi/abi.ts";
import type { TcpInfo, TcpState } from "./tcp_info_types.ts";

type Quantity = Exclude<keyof TcpInfo, "state">;

/** A field of the structure: its name here, and how many of its units are one of that name's. */
type Row = readonly [field: string, name: Quantity, divisor?: number];

const MICROSECONDS = 1_000;

/** The fields of `struct tcp_info` that every system counts in the same unit. */
const COMMON: readonly Row[] = [
  ["tcpi_rtt", "roundTripMilliseconds", MICROSECONDS],
  ["tcpi_rttvar", "roundTripDeviationMilliseconds", MICROSECONDS],
  ["tcpi_min_rtt", "minRoundTripMilliseconds", MICROSECONDS],
  ["tcpi_rcv_rtt", "receiverRoundTripMilliseconds", MICROSECONDS],
  ["tcpi_rto", "retransmitTimeoutMilliseconds", MICROSECONDS],
  ["tcpi_ato", "delayedAckTimeoutMilliseconds", MICROSECONDS],
  ["tcpi_snd_mss", "sendMssBytes"],
  ["tcpi_rcv_mss", "receiveMssBytes"],
  ["tcpi_advmss", "advertisedMssBytes"],
  ["tcpi_pmtu", "pathMtuBytes"],
  ["tcpi_snd_wnd", "sendWindowBytes"],
  ["tcpi_rcv_space", "receiveSpaceBytes"],
  ["tcpi_rcv_ssthresh", "receiveThresholdBytes"],
  ["tcpi_unacked", "unacknowledgedSegments"],
  ["tcpi_sacked", "selectivelyAcknowledgedSegments"],
  ["tcpi_lost", "lostSegments"],
  ["tcpi_retrans", "retransmittedSegments"],
  ["tcpi_total_retrans", "totalRetransmittedSegments"],
  ["tcpi_snd_rexmitpack", "totalRetransmittedSegments"],
  ["tcpi_retransmits", "retransmitTimeouts"],
  ["tcpi_probes", "unansweredProbes"],
  ["tcpi_backoff", "backoffs"],
  ["tcpi_reordering", "reorderingSegments"],
  ["tcpi_reord_seen", "reorderings"],
  ["tcpi_rcv_ooopack", "outOfOrderSegments"],
  ["tcpi_dsack_dups", "duplicateSegments"],
  ["tcpi_segs_out", "sentSegments"],
  ["tcpi_segs_in", "receivedSegments"],
  ["tcpi_data_segs_out", "sentDataSegments"],
  ["tcpi_data_segs_in", "receivedDataSegments"],
  ["tcpi_delivered", "deliveredSegments"],
  ["tcpi_delivered_ce", "congestionMarkedSegments"],
  ["tcpi_bytes_sent", "sentBytes"],
  ["tcpi_bytes_received", "receivedBytes"],
  ["tcpi_bytes_acked", "acknowledgedBytes"],
  ["tcpi_bytes_retrans", "retransmittedBytes"],
  ["tcpi_notsent_bytes", "unsentBytes"],
  ["tcpi_pacing_rate", "pacingRateBytesPerSecond"],
  ["tcpi_max_pacing_rate", "maxPacingRateBytesPerSecond"],
  ["tcpi_delivery_rate", "deliveryRateBytesPerSecond"],
  ["tcpi_busy_time", "busyMilliseconds", MICROSECONDS],
  ["tcpi_rwnd_limited", "receiveWindowLimitedMilliseconds", MICROSECONDS],
  ["tcpi_sndbuf_limited", "sendBufferLimitedMilliseconds", MICROSECONDS],
  ["tcpi_snd_zerowin", "zeroWindows"],
];

/** The other fields, as Linux counts them. */
const LINUX: readonly Row[] = [
  ["tcpi_snd_cwnd", "congestionWindowSegments"],
  ["tcpi_snd_ssthresh", "slowStartThresholdSegments"],
  ["tcpi_last_data_sent", "sinceDataSentMilliseconds"],
  ["tcpi_last_data_recv", "sinceDataReceivedMilliseconds"],
  ["tcpi_last_ack_recv", "sinceAckReceivedMilliseconds"],
];

/** The other fields, as the BSDs count them. */
const BSD: readonly Row[] = [
  ["tcpi_snd_cwnd", "congestionWindowBytes"],
  ["tcpi_snd_ssthresh", "slowStartThresholdBytes"],
  ["tcpi_last_data_sent", "sinceDataSentMilliseconds", MICROSECONDS],
  ["tcpi_last_data_recv", "sinceDataReceivedMilliseconds", MICROSECONDS],
  ["tcpi_last_ack_recv", "sinceAckReceivedMilliseconds", MICROSECONDS],
];

/** The fields of macOS's `struct tcp_connection_info`. */
const DARWIN: readonly Row[] = [
  ["tcpi_srtt", "roundTripMilliseconds"],
  ["tcpi_rttvar", "roundTripDeviationMilliseconds"],
  ["tcpi_rttcur", "lastRoundTripMilliseconds"],
  ["tcpi_rto", "retransmitTimeoutMilliseconds"],
  ["tcpi_snd_cwnd", "congestionWindowBytes"],
  ["tcpi_snd_ssthresh", "slowStartThresholdBytes"],
  ["tcpi_maxseg", "sendMssBytes"],
  ["tcpi_snd_wnd", "sendWindowBytes"],
  ["tcpi_rcv_wnd", "receiveSpaceBytes"],
  ["tcpi_snd_sbbytes", "sendBufferBytes"],
  ["tcpi_txpackets", "sentSegments"],
  ["tcpi_rxpackets", "receivedSegments"],
  ["tcpi_txbytes", "sentBytes"],
  ["tcpi_rxbytes", "receivedBytes"],
  ["tcpi_txretransmitbytes", "retransmittedBytes"],
  ["tcpi_txretransmitpackets", "totalRetransmittedSegments"],
  ["tcpi_rxoutoforderbytes", "outOfOrderBytes"],
];

/** The states by Linux's numbers; a request that is not accepted yet counts as received. */
const LINUX_STATES: readonly TcpState[] = [
  "CLOSED", // Not in use.
  "ESTABLISHED",
  "SYN-SENT",
  "SYN-RECEIVED",
  "FIN-WAIT-1",
  "FIN-WAIT-2",
  "TIME-WAIT",
  "CLOSED",
  "CLOSE-WAIT",
  "LAST-ACK",
  "LISTEN",
  "CLOSING",
  "SYN-RECEIVED",
];

/** The states by the numbers of macOS and the BSDs. */
const BSD_STATES: readonly TcpState[] = [
  "CLOSED",
  "LISTEN",
  "SYN-SENT",
  "SYN-RECEIVED",
  "ESTABLISHED",
  "CLOSE-WAIT",
  "FIN-WAIT-1",
  "CLOSING",
  "LAST-ACK",
  "FIN-WAIT-2",
  "TIME-WAIT",
];

/** How to read the structure of a system. */
export interface Layout {
  readonly option: number;
  readonly fields: { readonly [field: string]: Field | undefined };
  readonly rows: readonly Row[];
  readonly states: readonly TcpState[];
}

/** Returns how to read the structure of a system, or `undefined` if it has none. */
export function layoutOf(
  { constants: { TCP_INFO }, tcpInfo, tcpConnectionInfo }: Abi,
): Layout | undefined {
  if (tcpConnectionInfo !== undefined) {
    return {
      option: tcpConnectionInfo.constants.TCP_CONNECTION_INFO,
      fields: tcpConnectionInfo.tcp_connection_info.fields,
      rows: DARWIN,
      states: BSD_STATES,
    };
  }
  if (tcpInfo === undefined || TCP_INFO === undefined) return undefined;
  const isLinux = tcpInfo.dialect === "linux";
  return {
    option: TCP_INFO,
    fields: tcpInfo.tcp_info.fields,
    rows: [...COMMON, ...isLinux ? LINUX : BSD],
    states: isLinux ? LINUX_STATES : BSD_STATES,
  };
}
