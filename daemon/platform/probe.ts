import type { Writable } from 'node:stream';
import type { Fetch } from '../../network/transport.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { PROBE_BODY_LENGTH, type Probe } from '../../protocol/probe.ts';

/** A person waits: less than a call of the daemon may take. In milliseconds. */
const PROBE_MS = 8_000;

/** Fetches each address that comes in, all at the same time, and prints what became of it; see protocol. */
export async function probeAddresses(
  fetch: Fetch,
  addresses: AsyncIterable<string>,
  output: Pick<Writable, 'write'>,
): Promise<void> {
  const probing: Promise<void>[] = [];
  for await (const url of addresses) {
    if (url === '') continue;
    probing.push(
      probe(fetch, url).then((result) => {
        output.write(`${JSON.stringify(result)}\n`);
      }),
    );
  }
  await Promise.all(probing);
}

async function probe(fetch: Fetch, url: string): Promise<Probe> {
  try {
    // A captive portal sends everybody elsewhere: that is to be seen, not followed.
    const reply = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(PROBE_MS) });
    const date = Date.parse(reply.headers.get('date') ?? '');
    const body = (await reply.text()).slice(0, PROBE_BODY_LENGTH);
    return { url, status: reply.status, date: Number.isNaN(date) ? null : date, body };
  } catch (error) {
    const message = error instanceof CcwbError ? error.message : null;
    return { url, code: codeOf(error), message };
  }
}

/** The code nearest to the cause; of several addresses that were tried, the first one's. */
function codeOf(thrown: unknown): string {
  let code = 'unknown';
  for (let error = thrown; error instanceof Error; error = below(error)) {
    if (error.name === 'TimeoutError') code = 'ETIMEDOUT';
    else if ('code' in error && typeof error.code === 'string') code = error.code;
  }
  return code;
}

function below(error: Error): unknown {
  return error instanceof AggregateError ? error.errors[0] : error.cause;
}
