/**
 * `bedrock-authd --probe`: addresses, one a line, are fetched as the daemon would, with its proxy and its
 * certificates; each outcome is a line of JSON. For `bedrock-auth doctor`, also where no daemon runs.
 */
export type Probe = ProbeReply | ProbeFailure;

/** Somebody answered. `date`: milliseconds since the epoch, null when the reply does not say. */
export type ProbeReply = { url: string; status: number; date: number | null; body: string };

/** Nobody did. `code`: of the error at the bottom, such as ENOTFOUND; `message`: only texts of ours. */
export type ProbeFailure = { url: string; code: string; message: string | null };

/** The most that is read of a reply, in characters: a discovery document has a few thousand. */
export const PROBE_BODY_LENGTH = 65_536;
