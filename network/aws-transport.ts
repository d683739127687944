import type { Fetch } from './transport.ts';

/** A request of the AWS SDK's protocols. */
type AwsRequest = {
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  query?: Readonly<Record<string, string | readonly string[] | null>>;
  method: string;
  headers: Record<string, string>;
  body?: unknown;
};

/**
 * Creates a request handler of the AWS SDK on `fetch`, with its proxies, certificates and limits. (The SDK's
 * own handler creates the platform's `Request`, which no other fetch accepts.)
 */
export function createAwsTransport(fetch: Fetch) {
  return {
    handle: async (request: AwsRequest, options: { abortSignal?: unknown } = {}) => {
      const { protocol, hostname, port, path, method, headers, body } = request;
      // fetch sets these two itself, and rejects them.
      const { host: _host, 'content-length': _length, ...sent } = headers;
      const url = `${protocol}//${hostname}${port ? `:${port}` : ''}${path}${queryOf(request)}`;
      try {
        const response = await fetch(url, {
          method,
          headers: sent,
          body: body as string | Uint8Array<ArrayBuffer>,
          redirect: 'error',
          ...(options.abortSignal instanceof AbortSignal ? { signal: options.abortSignal } : {}),
        });
        return {
          response: {
            statusCode: response.status,
            reason: response.statusText,
            headers: Object.fromEntries(response.headers),
            body: new Uint8Array(await response.arrayBuffer()),
          },
        };
      } catch (thrown) {
        throw thrown instanceof TypeError ? networkFault(thrown) : thrown;
      }
    },
  };
}

/** Returns an error with the innermost cause's message; marked for the SDK, which does not know fetch's errors. */
function networkFault(thrown: TypeError): Error {
  const last = lastCause(thrown);
  const fault = new Error(last.message, { cause: thrown });
  // A retry does not make a certificate trusted.
  const lasting = /CERT|SIGNATURE/.test(String((last as NodeJS.ErrnoException).code));
  return lasting ? fault : Object.assign(fault, { $retryable: {} });
}

function lastCause(error: Error): Error {
  // Several addresses were tried: the first error stands for all.
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error.cause;
  return cause instanceof Error ? lastCause(cause) : error;
}

/** Returns the query as it was signed: encoded by RFC 3986, stricter than `encodeURIComponent`. */
function queryOf({ query = {} }: AwsRequest): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one: string | null) =>
      one === null ? encode(name) : `${encode(name)}=${encode(one)}`,
    ),
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
