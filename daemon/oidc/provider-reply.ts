import type { Fetch } from '../../network/transport.ts';
import { parseObject } from '../../protocol/json.ts';

/**
 * Returns a `fetch` whose JSON replies have only fields with a value: a field that is absent, empty or null
 * is absent for everybody behind it (RFC 6749 3.2 demands that of parameters). A field of the wrong type
 * that the protocol does not require is absent too, so that it cannot make every refresh fail.
 */
export function createReplyReader(through: Fetch): Fetch {
  const reading: typeof fetch = async (input, init) => {
    const response = await through(input as string | URL, init);
    const text = await response
      .clone()
      .text()
      .catch(() => '');
    const body = parseObject(text);
    if (body === undefined) return response;
    const { status, statusText, headers } = response;
    return new Response(JSON.stringify(withoutEmptyFields(body)), {
      status,
      statusText,
      headers: withoutLength(headers),
    });
  };
  return reading as Fetch;
}

/** The fields of the protocol that are numbers, in seconds. A provider may send one as text. */
const SECONDS = new Set(['expires_in', 'interval', 'refresh_expires_in']);

/** The optional fields of a token response that are text (RFC 6749 5.1, OIDC Core 3.1.3.3). */
const OPTIONAL_TEXTS = new Set(['refresh_token', 'id_token', 'scope', 'verification_uri_complete']);

/** Returns the fields that have a value, times in seconds as numbers. */
export function withoutEmptyFields(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    const read = SECONDS.has(name) ? secondsIn(value) : value;
    if (read === undefined || read === null || read === '') continue;
    if (OPTIONAL_TEXTS.has(name) && typeof read !== 'string') continue;
    kept[name] = read;
  }
  return kept;
}

/** Returns a number of seconds that is not negative; undefined for anything else. */
function secondsIn(value: unknown): number | undefined {
  const isNumber = typeof value === 'number' || (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value));
  const seconds = isNumber ? Number(value) : Number.NaN;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

/** Returns the headers without those that describe the body as it was sent. */
function withoutLength(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of ['content-length', 'content-encoding', 'transfer-encoding']) kept.delete(name);
  return kept;
}
