import type { Client, MissingClient } from './clients.ts';
import { CALLS, type Measured, type Way } from './measure.ts';

/** Minutes of life that credentials have when a client gets them. */
export const LIVES = [60, 21, 16, 14, 9, 4] as const;

/** One client and way, with what came of it for each life. */
export type Row = { client: Client; way: Way; results: ReadonlyMap<number, Measured> };

/** docs/interoperability.md, from one run. */
export function page(rows: readonly Row[], missing: readonly MissingClient[]): string {
  return `# Interoperability

Written by \`npm run test:sdks -- --write\` from one run on Linux (${process.arch}). Each tool and SDK made ${CALLS} calls
of \`sts get-caller-identity\`, one after the other, with the credentials it finds by itself, against the
[sandbox](sandbox.md), whose STS verifies the signature of each call with the very secret that was given out. The
credentials had so many minutes of life left; the figures are how often \`credential-process\` was started, or the
[container endpoint](configuration.md#container-credentials) was asked. The AWS CLI makes one call each time it
runs, so ${CALLS} is the least it can do. "failed" stands where a call failed.

## Through credential_process

${table(rows, 'credential_process')}

## Through the container endpoint

${table(rows, 'container endpoint')}

Those marked with * do not read \`AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE\` in this version; they had the token in
\`AWS_CONTAINER_AUTHORIZATION_TOKEN\`.

## What the figures say

Each SDK asks again by its own rule. botocore, and with it the AWS CLI, asks when less than 15 minutes are left, at
every use; the SDK for JavaScript when less than 5 are. Those for Go, Java and Rust ask shortly before the end; of
the container endpoint, Go asks when less than 5 minutes are left, and Java now and then under 15. So the daemon gives
at least 20 minutes while the provider can be reached, and nobody asks at every call.

## What has not been run

${missing.map(({ name, missing: reason }) => `- ${name}: ${reason}.\n`).join('')}- The SDKs for .NET, Ruby, PHP, C++, Kotlin and Swift.
- The AWS CLI v2 of a later date than the distribution's: it is not in the registries that this was run with.
`;
}

function table(rows: readonly Row[], wanted: Way): string {
  const head = ['tool or SDK', 'version', ...LIVES.map((minutes) => `${minutes} min`)];
  const body = rows
    .filter(({ way }) => way === wanted)
    .map(({ client, way, results }) => {
      const mark = way === 'container endpoint' && !client.readsTokenFile ? ' *' : '';
      return [`${client.name}${mark}`, client.version, ...LIVES.map((minutes) => cell(results.get(minutes)))];
    });
  const lines = [head, head.map((_, index) => (index < 2 ? '---' : '---:')), ...body];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function cell(measured: Measured | undefined): string {
  if (!measured) return 'not run';
  return measured.succeeded === CALLS ? String(measured.asked) : 'failed';
}
