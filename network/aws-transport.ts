import type { Fetch } from './transport.ts';

/** What the SDK's protocols hand over. */
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
 * The AWS SDK's transport on a fetch of ours: one transport for every call, with its proxies, certificates and
 * limits. (The SDK's own on fetch makes the platform's `Request`, which no other fetch takes.)
 */
export function createAwsTransport(fetch: Fetch) {
  return {
    handle: async (request: AwsRequest, options: { abortSignal?: unknown } = {}) => {
      const { protocol, hostname, port, path, method, headers, body } = request;
      // fetch works these two out itself, and refuses to be told.
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

/** What fetch hides in a cause, for people and for the SDK, which knows only other libraries' names of it. */
function networkFault(thrown: TypeError): Error {
  const last = lastCause(thrown);
  const fault = new Error(last.message, { cause: thrown });
  // A certificate that is not trusted will not be the next time.
  const lasting = /CERT|SIGNATURE/.test(String((last as NodeJS.ErrnoException).code));
  return lasting ? fault : Object.assign(fault, { $retryable: {} });
}

function lastCause(error: Error): Error {
  // Several addresses were tried: one says it for all.
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error.cause;
  return cause instanceof Error ? lastCause(cause) : error;
}

/** As it was signed: encoded as RFC 3986 has it, stricter than `encodeURIComponent`. */
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
