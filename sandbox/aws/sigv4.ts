import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** The parts of a request that a signature covers, as received. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as sent, e.g. `/model/a%3A0/invoke?x=1`. */
  readonly target: string;
  /** Lower-case names; each value as sent (`IncomingMessage.headersDistinct`). */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

export interface SigningCredentials {
  readonly secretAccessKey: string;
  /** Absent for long-lived keys. */
  readonly sessionToken?: string;
  /** Absent: never. */
  readonly expiresAtMs?: number;
}

/** The reason why a signature is invalid. */
export type SignatureProblem =
  | 'missing'
  | 'incomplete'
  | 'unknown-key'
  | 'wrong-token'
  | 'expired-token'
  | 'wrong-scope'
  | 'skewed'
  | 'mismatch';

export type SignatureVerdict<Credentials> =
  | { readonly ok: true; readonly accessKeyId: string; readonly credentials: Credentials }
  | { readonly ok: false; readonly problem: SignatureProblem; readonly detail: string };

export interface VerifyOptions<Credentials extends SigningCredentials> {
  readonly find: (accessKeyId: string) => Credentials | undefined;
  readonly regions: readonly string[];
  readonly service: string;
  readonly nowMs: number;
  /** Tolerated difference of the caller's clock. Default 15 minutes, as in AWS. */
  readonly windowMs?: number;
}

export const defaultWindowMs = 15 * 60 * 1000;

/** Verifies AWS Signature Version 4 in the Authorization header (AWS IAM User Guide, "Create a signed request"). */
export function verifySignature<Credentials extends SigningCredentials>(
  request: SignedRequest,
  options: VerifyOptions<Credentials>,
): SignatureVerdict<Credentials> {
  const header = headerOf(request, 'authorization');
  if (header === undefined) return refuse('missing', 'there is no Authorization header');
  const claim = parseAuthorization(header);
  if (claim === undefined) return refuse('incomplete', 'the Authorization header is malformed');

  const credentials = options.find(claim.accessKeyId);
  if (credentials === undefined) return refuse('unknown-key', 'the access key id is unknown');
  const token = headerOf(request, 'x-amz-security-token');
  if (!sameText(token ?? '', credentials.sessionToken ?? '')) {
    return refuse('wrong-token', 'the session token does not belong to the access key');
  }
  if (credentials.expiresAtMs !== undefined && credentials.expiresAtMs <= options.nowMs) {
    return refuse('expired-token', 'the credentials have expired');
  }
  if (claim.service !== options.service) {
    return refuse('wrong-scope', `Credential should be scoped to correct service: '${options.service}'.`);
  }
  if (!options.regions.includes(claim.region)) {
    return refuse('wrong-scope', `Credential should be scoped to a valid region, not '${claim.region}'.`);
  }
  const required = ['host', 'x-amz-date', ...(token === undefined ? [] : ['x-amz-security-token'])];
  const unsigned = required.filter((name) => !claim.signedHeaders.includes(name));
  if (unsigned.length > 0) return refuse('incomplete', `not signed: ${unsigned.join(', ')}`);

  const date = headerOf(request, 'x-amz-date') ?? '';
  const signedAtMs = parseAmzDate(date);
  if (signedAtMs === undefined || !date.startsWith(claim.day)) {
    return refuse('incomplete', 'x-amz-date does not fit the credential scope');
  }
  const windowMs = options.windowMs ?? defaultWindowMs;
  if (Math.abs(options.nowMs - signedAtMs) > windowMs)
    return refuse('skewed', skewText(date, options, windowMs));

  const declaredHash = headerOf(request, 'x-amz-content-sha256');
  const bodyHash = sha256(request.body);
  if (declaredHash !== undefined && declaredHash !== bodyHash) {
    return refuse('mismatch', 'x-amz-content-sha256 is not the hash of the body');
  }
  const scope = `${claim.day}/${claim.region}/${claim.service}/aws4_request`;
  const canonical = canonicalRequest(request, claim.signedHeaders, bodyHash);
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = ['aws4_request', claim.service, claim.region, claim.day].reduceRight<string | Buffer>(
    (parent, part) => hmac(parent, part),
    `AWS4${credentials.secretAccessKey}`,
  );
  if (!sameText(claim.signature, hmac(key, toSign).toString('hex'))) {
    return refuse('mismatch', 'the signature is not the one calculated from the request');
  }
  return { ok: true, accessKeyId: claim.accessKeyId, credentials };
}

/** Returns the canonical request that is hashed and signed. Exported so that tests can compare two sides. */
export function canonicalRequest(
  request: SignedRequest,
  signed: readonly string[],
  bodyHash: string,
): string {
  const [path = '/', query = ''] = splitTarget(request.target);
  const headers = signed.map((name) => {
    const values = request.headers[name] ?? [];
    return `${name}:${values.map((value) => value.trim().replace(/ +/g, ' ')).join(',')}\n`;
  });
  return [
    request.method,
    canonicalPath(path),
    canonicalQuery(query),
    headers.join(''),
    signed.join(';'),
    bodyHash,
  ].join('\n');
}

function splitTarget(target: string): [string, string] {
  const mark = target.indexOf('?');
  return mark === -1 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
}

/** Every service but S3 encodes the path a second time, after `.` and `..` are resolved. */
function canonicalPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  const slash = kept.length > 0 && path.endsWith('/') ? '/' : '';
  return `/${kept.map(encode).join('/')}${slash}`;
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  return query
    .split('&')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [encode(decodeURIComponent(name)), encode(decodeURIComponent(value.join('=')))] as const;
    })
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** RFC 3986: everything but unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Compares by code unit: localeCompare would sort by language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

interface AuthorizationClaim {
  readonly accessKeyId: string;
  /** YYYYMMDD */
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

function parseAuthorization(header: string): AuthorizationClaim | undefined {
  const match =
    /^AWS4-HMAC-SHA256 +Credential=(\w+)\/(\d{8})\/([\w-]+)\/([\w-]+)\/aws4_request *, *SignedHeaders=([\w;-]+) *, *Signature=([0-9a-f]{64})$/.exec(
      header,
    );
  if (match === null) return undefined;
  const [, accessKeyId = '', day = '', region = '', service = '', names = '', signature = ''] = match;
  return { accessKeyId, day, region, service, signedHeaders: names.split(';'), signature };
}

/** `20150830T123600Z` → milliseconds since 1970. */
function parseAmzDate(date: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function amzDate(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');
}

/** Returns AWS's own message, which tools search for. */
function skewText(date: string, { nowMs }: { nowMs: number }, windowMs: number): string {
  const minutes = windowMs / 60_000;
  const now = amzDate(nowMs);
  if ((parseAmzDate(date) ?? 0) < nowMs) {
    const limit = amzDate(nowMs - windowMs);
    return `Signature expired: ${date} is now earlier than ${limit} (${now} - ${minutes} min.)`;
  }
  return `Signature not yet current: ${date} is still later than ${amzDate(nowMs + windowMs)} (${now} + ${minutes} min.)`;
}

function headerOf(request: SignedRequest, name: string): string | undefined {
  return request.headers[name]?.[0];
}

/** Compares hashes, so that the time reveals neither length nor content. */
function sameText(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function refuse(
  problem: SignatureProblem,
  detail: string,
): { ok: false; problem: SignatureProblem; detail: string } {
  return { ok: false, problem, detail };
}
