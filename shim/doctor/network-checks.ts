import { type Finding, ok, problem, skipped, warning } from '../../common/findings.ts';
import type { ProfileConfig } from '../../protocol/config.ts';
import { parseObject } from '../../protocol/json.ts';
import type { Probe, ProbeFailure } from '../../protocol/probe.ts';
import { formatDuration } from '../terminal/time-format.ts';
import { type DiscoveryResult, forEachProfile, type ShimCheck } from './check.ts';

/** Largest harmless error of the clock in milliseconds. The daemon corrects more. */
const CLOCK_OK_MS = 15_000;
/**
 * Error of the clock in milliseconds that counts as a problem. AWS refuses signatures that are off by five
 * minutes, and SDKs sign by this computer's clock.
 */
const CLOCK_BAD_MS = 270_000;

/** Checks that the provider's discovery document can be fetched and belongs to the issuer. */
export const discovery: ShimCheck = (context) =>
  forEachProfile(context, async (profile) => {
    const found = await context.discovery(profile);
    const { issuer } = profile.identityProvider;
    if ('problem' in found) return problem(found.problem.text, found.problem.fix, profile.name);
    return ok(`${issuer} answers`, profile.name);
  });

/** Checks that the provider's signing keys can be fetched. They verify every ID token. */
export const jwks: ShimCheck = (context) =>
  forEachProfile(context, async (profile) => {
    const found = await context.discovery(profile);
    if ('problem' in found) return skipped('without the discovery document', profile.name);
    const { jwksUri } = found;
    const askAdmin = 'ask your administrator: the provider is not set up for OpenID Connect';
    if (jwksUri === undefined) return problem('the provider names no signing keys', askAdmin, profile.name);
    const probe = await context.probe(jwksUri);
    if ('code' in probe) return { ...unreachable(probe, jwksUri), profile: profile.name };
    const keys = parseObject(probe.body)?.keys;
    if (probe.status === 200 && Array.isArray(keys) && keys.length > 0) {
      return ok(`${keys.length} signing ${keys.length === 1 ? 'key' : 'keys'}`, profile.name);
    }
    return problem(`no signing keys at ${jwksUri} (status ${probe.status})`, askAdmin, profile.name);
  });

/** Reads `ISSUER/.well-known/openid-configuration` (OpenID Connect Discovery 4). */
export async function readDiscovery(
  issuer: string,
  get: (url: string) => Promise<Probe>,
): Promise<DiscoveryResult> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const probe = await get(url);
  if ('code' in probe) return { problem: unreachable(probe, issuer), probe };
  const document = parseObject(probe.body);
  if (!document) {
    const elsewhere = probe.status >= 300 && probe.status < 400 ? 'sends elsewhere' : 'answers no JSON';
    const text = `what answers at ${issuer} ${elsewhere} (status ${probe.status}): a sign-in page of the network?`;
    return { problem: { text, fix: `open http://neverssl.com in a browser; else curl -I ${url}` }, probe };
  }
  if (probe.status !== 200) {
    const text = `the provider answers with status ${probe.status} at ${url}`;
    return { problem: { text, fix: 'check provider_domain or issuer in config.json' }, probe };
  }
  if (document.issuer !== issuer) {
    const other = typeof document.issuer === 'string' ? document.issuer : 'none';
    const text = `the provider calls itself ${other}, config.json ${issuer}`;
    return { problem: { text, fix: 'correct issuer, or provider_domain, in config.json' }, probe };
  }
  const { jwks_uri: jwksUri, device_authorization_endpoint: device } = document;
  return {
    jwksUri: typeof jwksUri === 'string' && URL.canParse(jwksUri) ? jwksUri : undefined,
    hasDeviceGrant: typeof device === 'string',
    probe,
  };
}

/** Checks that the endpoint that exchanges ID tokens for credentials answers. Its answer does not matter. */
export const aws: ShimCheck = (context) =>
  forEachProfile(context, async (profile) => {
    const url = federationEndpoint(profile);
    const probe = await context.probe(url);
    if ('code' in probe) return { ...unreachable(probe, url), profile: profile.name };
    return ok(`${new URL(url).host} answers`, profile.name);
  });

function federationEndpoint({ federation, awsRegion }: ProfileConfig): string {
  const service = federation.type === 'cognito' ? 'cognito-identity' : 'sts';
  return federation.endpoint ?? `https://${service}.${awsRegion}.${domainOf(awsRegion)}/`;
}

function domainOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}

/** Checks that Bedrock's endpoint answers. Runs on request only, since models may run in other regions. */
export const bedrock: ShimCheck = (context) =>
  forEachProfile(context, async ({ awsRegion, name }) => {
    const { env } = context.edges;
    const settings = context.claudeSettings()?.env ?? {};
    const region = settings.AWS_REGION ?? env.AWS_REGION ?? awsRegion;
    const own = settings.ANTHROPIC_BEDROCK_BASE_URL ?? env.ANTHROPIC_BEDROCK_BASE_URL;
    const url = own ?? `https://bedrock-runtime.${region}.${domainOf(region)}/`;
    if (!URL.canParse(url)) {
      return problem('ANTHROPIC_BEDROCK_BASE_URL is no address', 'unset ANTHROPIC_BEDROCK_BASE_URL', name);
    }
    const probe = await context.probe(url);
    return 'code' in probe
      ? { ...unreachable(probe, new URL(url).origin), profile: name }
      : ok(`${new URL(url).host} answers`, name);
  });

/** Compares this computer's clock with those of the provider and AWS. */
export const clock: ShimCheck = async (context) => {
  const { edges, profiles } = context;
  const fromReply = async (probe: Promise<Probe>): Promise<number | undefined> => {
    const reply = await probe;
    return 'date' in reply && reply.date !== null ? reply.date - edges.now() : undefined;
  };
  const differences = await Promise.all(
    profiles.flatMap((profile) => [
      fromReply(context.probe(federationEndpoint(profile))),
      fromReply(context.discovery(profile).then(({ probe }) => probe)),
    ]),
  );
  // Headers have whole seconds, and some replies come from a cache: the smallest difference counts.
  const known = differences.filter((each) => each !== undefined).sort((a, b) => Math.abs(a) - Math.abs(b));
  const [off] = known;
  if (off === undefined) return [skipped('nobody told the time')];
  if (Math.abs(off) < CLOCK_OK_MS) return [ok('right')];
  const text = `${formatDuration(Math.abs(off))} ${off > 0 ? 'slow' : 'fast'}`;
  const fix = edges.platform === 'darwin' ? 'sudo sntp -sS time.apple.com' : 'sudo timedatectl set-ntp true';
  return [
    Math.abs(off) < CLOCK_BAD_MS
      ? warning(`${text}; the daemon corrects it for itself`, fix)
      : problem(`${text}: AWS refuses what is signed by it`, fix),
  ];
};

const CERTIFICATES = new Set([
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Describes why an address cannot be reached, and the next step. */
export function unreachable({ code, message }: ProbeFailure, url: string): Finding {
  const { host, port, protocol } = new URL(url);
  const curl = `curl -sSI ${new URL(url).origin}`;
  if (message !== null) return problem(message, 'bedrock-auth service install');
  if (CERTIFICATES.has(code)) {
    return problem(
      `${host}: its certificate is not trusted (${code})`,
      'export NODE_EXTRA_CA_CERTS=/path/to/company-ca.pem; bedrock-auth service install',
    );
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return problem(`${host}: no such name (${code}); is the network or VPN up?`, curl);
  }
  if (code === 'ECONNREFUSED') {
    return problem(`${host}: nobody listens there${port || protocol === 'https:' ? ` (${code})` : ''}`, curl);
  }
  if (code === 'UND_ERR_ABORTED' || code === 'UND_ERR_PRX_TLS') {
    return problem(
      `${host}: the proxy refuses the connection`,
      'check HTTPS_PROXY, then bedrock-auth service install',
    );
  }
  const timeout = ['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT'].includes(code);
  const text = timeout ? 'no answer in time; is a proxy or the VPN needed?' : `cannot be reached (${code})`;
  return problem(`${host}: ${text}`, curl);
}
