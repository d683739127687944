/** Reads the headers of the installed `otel-helper`, and checks that the collector accepts them. */
import type { AdminEdges } from '../edges.ts';
import type { Expected } from './expected.ts';
import type { Programs } from './programs.ts';
import { done, type StepResult, testFailure } from './steps.ts';

export type TelemetryHeaders = Readonly<Record<string, string>>;

/** Signals that Claude Code sends. An empty request in protobuf has no bytes, and a collector must accept it. */
const SIGNALS = ['metrics', 'logs'] as const;
const CONTENT_TYPE = 'application/x-protobuf';

/** @throws CcwbError */
export async function getHeaders(
  name: string,
  programs: Programs,
  { interrupted }: AdminEdges,
): Promise<StepResult<TelemetryHeaders>> {
  const options = { signal: interrupted };
  await programs.run('otel-helper', ['--profile', name, '--test'], options);
  const { output } = await programs.run('otel-helper', ['--profile', name], options);
  const headers = JSON.parse(output) as TelemetryHeaders;
  const email = headers['x-user-email'];
  if (headers['x-user-id'] === undefined) {
    throw testFailure(
      'otel-helper gives no x-user-id: its answer was empty',
      'see bedrock-auth doctor and logs by hand',
    );
  }
  const who = email === undefined ? 'no x-user-email among them' : `for ${email}`;
  return { detail: `${Object.keys(headers).length} headers, ${who}`, value: headers };
}

/**
 * Sends an empty export, as Claude Code would send a full one.
 *
 * @throws CcwbError
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp-request
 */
export async function checkCollector(
  { collector }: Expected,
  headers: TelemetryHeaders,
  edges: AdminEdges,
): Promise<StepResult<true>> {
  if (collector === undefined) return { skipped: 'the package sends no telemetry' };
  const { endpoint, validatesToken } = collector;
  for (const signal of SIGNALS) checkReply(await post(endpoint, signal, headers, edges), endpoint);
  if (!validatesToken) return done(`${endpoint} takes metrics and logs`);
  const { authorization: _, ...nameless } = headers;
  if ((await post(endpoint, 'metrics', nameless, edges)).status < 300) {
    throw testFailure(
      `the collector ${endpoint} takes telemetry without an ID token`,
      'deploy the monitoring stack again (ccwb deploy): its load balancer has to check tokens',
    );
  }
  return done(`${endpoint} takes metrics and logs, with an ID token only`);
}

type CollectorReply = { readonly status: number; readonly isProtobuf: boolean };

async function post(
  endpoint: string,
  signal: string,
  headers: TelemetryHeaders,
  edges: AdminEdges,
): Promise<CollectorReply> {
  const url = `${endpoint.replace(/\/$/, '')}/v1/${signal}`;
  try {
    const response = await edges.fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': CONTENT_TYPE },
      body: new Uint8Array(0),
      redirect: 'manual',
      signal: edges.interrupted,
    });
    await response.arrayBuffer();
    const type = response.headers.get('content-type') ?? '';
    return { status: response.status, isProtobuf: type.startsWith(CONTENT_TYPE) };
  } catch (thrown) {
    const fix = 'check network, VPN and proxy; an internal load balancer answers inside its network only';
    throw testFailure(`the collector ${endpoint} does not answer (${reasonOf(thrown)})`, fix);
  }
}

function checkReply({ status, isProtobuf }: CollectorReply, endpoint: string): void {
  if (status === 200 && isProtobuf) return;
  const what = status === 200 ? 'what answers is no collector' : `status ${status}`;
  throw testFailure(`the collector ${endpoint} does not take telemetry: ${what}`, fixOf(status));
}

function fixOf(status: number): string {
  if (status === 401 || status === 403) {
    return 'see that issuer and client id of the monitoring stack are those of the profile (ccwb deploy), and that it has a domain';
  }
  if (status >= 500)
    return 'no task of the collector is well: see the service in the ECS console (docs/monitoring.md)';
  return 'see that the endpoint is that of the monitoring stack: ccwb status, ccwb package';
}

/** Returns the reason of a failed fetch: the message of its last cause, which names the host. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown.cause;
  return cause instanceof Error
    ? reasonOf(cause)
    : ((thrown as NodeJS.ErrnoException).code ?? thrown.message);
}
