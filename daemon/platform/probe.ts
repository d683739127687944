import type { Writable } from 'node:stream';
import type { Fetch } from '../../network/transport.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { PROBE_BODY_LENGTH, type Probe } from '../../protocol/probe.ts';

/** Time limit of a probe, in milliseconds. A person is waiting, so it is shorter than that of other calls. */
const PROBE_MS = 8_000;

/** Fetches each address from the input, all at the same time, and prints one {@link Probe} as JSON for each. */
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
    // The redirect of a captive portal is the result, so it is not followed.
    const reply = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(PROBE_MS) });
    const date = Date.parse(reply.headers.get('date') ?? '');
    const body = (await reply.text()).slice(0, PROBE_BODY_LENGTH);
    return { url, status: reply.status, date: Number.isNaN(date) ? null : date, body };
  } catch (error) {
    const message = error instanceof CcwbError ? error.message : null;
    return { url, code: codeOf(error), message };
  }
}

/** Returns the code of the innermost cause; of the first address if several were tried. */
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
