import { ERRORS, isErrorCode } from '../../protocol/error-codes.ts';
import { VERSION_HEADER } from '../../protocol/version.ts';
import { Failure } from './failure.ts';
import { readReplies, type WireReply } from './http-reply.ts';

/** Texts of which each may stand in nothing but a 200 to a request for just that; `never` not even there. */
export type Planted = {
  credentials: readonly string[];
  idTokens: readonly string[];
  never: readonly string[];
};

/** What Node's HTTP server and fastify say, before any route, to what is no request: constant words. */
const PLAIN_REFUSALS: ReadonlySet<string> = new Set([
  '400 ',
  '408 ',
  '417 ',
  '431 ',
  '400 {"error":"Bad Request","message":"Client Error","statusCode":400}',
  '408 {"error":"Request Timeout","message":"Client Timeout","statusCode":408}',
  '431 {"error":"Request Header Fields Too Large","message":"Exceeded maximum allowed HTTP header size","statusCode":431}',
]);

/** Such as are given out while the fuzzer runs and not among the planted ones. */
const CREDENTIALS = /"SecretAccessKey"|ASIA[A-Z2-7]{16}/;
const ID_TOKEN = /eyJ[\w-]+\.eyJ[\w-]+\./;

function holds(text: string, secrets: readonly string[], shape: RegExp): boolean {
  return shape.test(text) || secrets.some((secret) => text.includes(secret));
}

/**
 * Judges everything that came back for some bytes sent to the API.
 *
 * @throws Failure when a reply is malformed, is an error not of ours, tells of a defect, or gives a secret away.
 */
export function judgeReplies(
  sent: Buffer,
  got: Buffer,
  profiles: readonly string[],
  planted: Planted,
): WireReply[] {
  const replies = parsed(sent, got);
  for (const reply of replies) {
    const problem = problemOf(reply, planted);
    if (problem !== undefined) throw new Failure(problem, sent, got);
  }
  const holding = (route: string, secrets: readonly string[], shape: RegExp): void => {
    const given = replies.filter(({ body }) => holds(body.toString('utf8'), secrets, shape)).length;
    const asked = given === 0 ? 0 : validRequests(sent.toString('latin1'), route, profiles);
    if (given > asked)
      throw new Failure(`${given} replies of ${route} to ${asked} valid requests for it`, sent, got);
  };
  holding('credentials', planted.credentials, CREDENTIALS);
  holding('id-token', planted.idTokens, ID_TOKEN);
  return replies;
}

function parsed(sent: Buffer, got: Buffer): WireReply[] {
  try {
    return readReplies(got, sent.includes('HEAD'));
  } catch (error) {
    throw new Failure(`a malformed reply: ${(error as Error).message}`, sent, got);
  }
}

function problemOf({ status, headers, body }: WireReply, planted: Planted): string | undefined {
  const text = body.toString('utf8');
  if (planted.never.some((secret) => text.includes(secret))) return 'a reply with the refresh token';
  if (!headers.has(VERSION_HEADER))
    return PLAIN_REFUSALS.has(`${status} ${text}`)
      ? undefined
      : 'a reply that is neither ours nor a plain refusal';
  if (body.length === 0) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'a body that is no JSON';
  }
  if (status === 200) return undefined;
  const { error } = value as { error?: { code?: unknown; message?: unknown; fix?: unknown } };
  if (!error || !isErrorCode(error.code)) return 'an error not of our shape';
  if (error.code === 'ERR_INTERNAL') return 'an error that tells of a defect';
  // What is no whole request is refused in HTTP's own words, before a route could say more.
  const early = error.code === 'ERR_USAGE' && [408, 431].includes(status);
  if (ERRORS[error.code].status !== status && !early) return `${error.code} with status ${status}`;
  if (typeof error.message !== 'string' || typeof error.fix !== 'string') return 'an error not of our shape';
  const secret = holds(text, planted.credentials, CREDENTIALS) || holds(text, planted.idTokens, ID_TOKEN);
  return secret ? 'an error that holds a secret' : undefined;
}

/** A request as Node's parser takes it: RFC 9112 lets it accept a bare LF, runs of spaces and empty lines ahead. */
const HEAD =
  /^(?:\r?\n)*([A-Z]+) +(\S+) *(?:HTTP\/\d\.\d)?\r?\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r?\n)*)\r?\n/;

/** How many requests in the bytes may be answered with what this route gives, read by a grammar of its own. */
export function validRequests(text: string, route: string, profiles: readonly string[]): number {
  let count = 0;
  let rest = text;
  for (;;) {
    const [head, method, target = '', lines = ''] = HEAD.exec(rest) ?? [];
    if (head === undefined) return count;
    const headers = lines.split(/\r?\n/).map((line) => line.split(/:(.*)/s).map((part) => part.trim()));
    const values = (name: string): string[] =>
      headers.filter(([each]) => each?.toLowerCase() === name).map(([, value]) => value ?? '');
    const foreign = ['origin', 'referer', 'sec-fetch-site', 'sec-fetch-mode'].some(
      (name) => values(name).length > 0,
    );
    const local = values('host').length === 1 && values('host')[0] === 'localhost';
    if (method === 'GET' && !foreign && local && isOf(target, route, profiles)) count += 1;
    const body = bodyLength(rest.slice(head.length), values('transfer-encoding'), values('content-length'));
    if (body === undefined) return count;
    rest = rest.slice(head.length + body);
  }
}

/** Length of the body as it was sent, or undefined when that cannot be told beyond doubt. */
function bodyLength(
  text: string,
  codings: readonly string[],
  lengths: readonly string[],
): number | undefined {
  if (codings.length === 0) return lengths.length > 1 ? undefined : Number(lengths[0] ?? 0);
  if (codings.length > 1 || codings[0] !== 'chunked' || lengths.length > 0) return undefined;
  for (let at = 0; ; ) {
    const [line, size = ''] = /^([0-9a-f]+)(?:;[^\r\n]*)?\r\n/i.exec(text.slice(at)) ?? [];
    if (line === undefined) return undefined;
    at += line.length;
    if (Number.parseInt(size, 16) === 0) {
      const trailer = /^(?:[\w-]+:[^\r\n]*\r\n)*\r\n/.exec(text.slice(at))?.[0];
      return trailer === undefined ? undefined : at + trailer.length;
    }
    at += Number.parseInt(size, 16) + 2;
  }
}

function isOf(target: string, route: string, profiles: readonly string[]): boolean {
  const path = target.replace(/^http:\/\/localhost(?=\/)/, '').split(/[?#;]/)[0] ?? '';
  try {
    return profiles.some((profile) => decodeURIComponent(path) === `/v1/profiles/${profile}/${route}`);
  } catch {
    return false;
  }
}
