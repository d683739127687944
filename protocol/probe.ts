/**
 * A line of JSON from `bedrock-authd --probe`, which fetches addresses, one per line, with the daemon's proxy
 * and certificates. `bedrock-auth doctor` uses it, even if no daemon runs.
 */
export type Probe = ProbeReply | ProbeFailure;

/** The address answered. `date`: milliseconds since the epoch, null if the reply has no date. */
export type ProbeReply = { url: string; status: number; date: number | null; body: string };

/** No answer. `code`: of the root cause, such as ENOTFOUND. `message`: only texts of this program. */
export type ProbeFailure = { url: string; code: string; message: string | null };

/** Longest body that is read, in characters: a discovery document has a few thousand. */
export const PROBE_BODY_LENGTH = 65_536;
