import { type Federation, StaleIdToken } from '../../daemon/aws/aws-calls.ts';
import { createFederation } from '../../daemon/aws/federation.ts';
import type { IdToken } from '../../daemon/oidc/tokens.ts';
import { rfc3339 } from '../../protocol/api.ts';
import { parseConfig, profileNamed } from '../../protocol/config.ts';
import { CcwbError, errorLines } from '../../protocol/errors.ts';
import { openLoopbackServer } from '../../sandbox/http/loopback-server.ts';
import { Failure } from './failure.ts';
import { havoc } from './havoc.ts';
import { mutatedJson } from './json.ts';
import { measured } from './measure.ts';
import type { Random } from './random.ts';
import type { Target } from './target.ts';

/** In every reply; in no error. */
const PLANTED = 'planted-in-a-reply';

const CREDENTIALS = {
  AccessKeyId: 'ASIAEXAMPLE',
  SecretKey: PLANTED,
  SessionToken: PLANTED,
  Expiration: 1_800_000_000.5,
};
const ERROR = { __type: 'NotAuthorizedException', message: `${PLANTED} expired` };
const ERRORS = [
  'NotAuthorizedException',
  'ResourceNotFoundException',
  'TooManyRequestsException',
  'InvalidParameterException',
  'Odd\u001b[2J',
  'x'.repeat(3_000),
];

const ID_TOKEN: IdToken = {
  jwt: 'eyJhbGciOiJSUzI1NiJ9.e30.x',
  claims: { sub: '00u1', exp: 1, iat: 0 },
  expiresAt: 1_800_000_000_000,
  lifetimeMs: 3_600_000,
};

/** What Cognito and STS answer, or whoever stands in their place, through the real SDK clients. */
export const awsTarget: Target = {
  name: 'aws',
  count: 20_000,
  every: 5_000,
  atOnce: 8,
  open: async () => {
    // One server for each call under way: the replies of one iteration are no other's.
    const idle: { server: Awaited<ReturnType<typeof serve>>; federations: Federation[] }[] = [];
    for (let i = 0; i < awsTarget.atOnce; i += 1) {
      const server = await serve();
      idle.push({ server, federations: federationsAt(server.origin) });
    }
    const all = [...idle];
    return {
      run: async (random) => {
        const own = idle.pop();
        if (!own) throw new Error('more at once than there are servers');
        try {
          own.server.replies(random);
          // Clients are dear to make; new ones know of no identity, and so do those of a new user.
          if (random.chance(0.02)) own.federations = federationsAt(own.server.origin);
          const claims = { ...ID_TOKEN.claims, sub: `00u${random.below(50)}` };
          await judge(random.pick(own.federations).credentials({ ...ID_TOKEN, claims }), own.server.sent);
        } finally {
          idle.push(own);
        }
      },
      check: async () => measured(),
      close: async () => void (await Promise.all(all.map(({ server }) => server.stop()))),
    };
  },
};

function federationsAt(endpoint: string): Federation[] {
  const shared = {
    issuer: 'https://idp.example',
    client_id: 'c',
    cognito_identity_endpoint: endpoint,
    sts_endpoint: endpoint,
  };
  const config = parseConfig(
    JSON.stringify({
      Pool: { ...shared, identity_pool_id: 'us-east-1:11111111-2222-4333-8444-555555555555' },
      Role: { ...shared, federated_role_arn: 'arn:aws:iam::123456789012:role/Claude' },
    }),
    'config.json',
  );
  return config.names.map((name) =>
    createFederation(profileNamed(config, name), { clock: { now: () => Date.now() }, fetch }),
  );
}

async function serve() {
  let random: Random | undefined;
  let sent = '';
  const server = await openLoopbackServer((request, response) => {
    const target = request.headers['x-amz-target'];
    request.resume().once('end', () => {
      if (!random) return;
      if (random.chance(0.02)) return void request.socket.destroy();
      const { status, type, body } = reply(random, typeof target === 'string' ? target : undefined);
      sent += `${status} ${type} ${body}\n`;
      response.writeHead(status, { 'content-type': type, 'x-amzn-requestid': 'x', connection: 'close' });
      response.end(body);
    });
  });
  return {
    ...server,
    replies: (next: Random) => {
      random = next;
      sent = '';
    },
    sent: () => sent,
  };
}

function reply(random: Random, target: string | undefined): { status: number; type: string; body: string } {
  const good = random.chance(0.8);
  const status = random.chance(0.1)
    ? random.pick([200, 204, 302, 400, 403, 404, 413, 429, 500, 503])
    : good
      ? 200
      : 400;
  const type = random.chance(0.05)
    ? random.pick(['text/html', 'application/cbor', 'x'])
    : target
      ? 'application/x-amz-json-1.1'
      : 'text/xml';
  let body = target ? jsonReply(random, target, good) : xmlReply(random, good);
  if (random.chance(0.15)) body = havoc(Buffer.from(body), random, random.below(3) + 1).toString('latin1');
  return { status, type, body };
}

function jsonReply(random: Random, target: string, good: boolean): string {
  const value = !good
    ? { ...ERROR, __type: random.pick(ERRORS) }
    : target.endsWith('GetId')
      ? { IdentityId: 'us-east-1:11111111-2222-4333-8444-555555555555' }
      : { IdentityId: 'x', Credentials: CREDENTIALS };
  const spared = target.endsWith('GetId') && random.chance(0.8);
  return spared || random.chance(0.2) ? JSON.stringify(value) : mutatedJson(value, random);
}

function xmlReply(random: Random, good: boolean): string {
  const values = [
    '2027-01-15T08:00:00Z',
    '2027-01-15T08:00:00.5+01:00',
    '',
    'x',
    '1800000000',
    '-1',
    '9999-99-99T99:99:99Z',
    '+275760-09-13T00:00:00Z',
    '0000-00-00T00:00:00Z',
  ];
  const field = (name: string, value: string): string => {
    if (random.chance(0.05)) return '';
    const content = random.chance(0.1)
      ? random.pick(['', '&#x1b;', '&lol;', '<a/>', '<![CDATA[x]]>', 'x'.repeat(2_000)])
      : value;
    return `<${name}>${content}</${name}>`.repeat(random.chance(0.03) ? 2 : 1);
  };
  if (!good)
    return `<ErrorResponse><Error>${field('Code', random.pick(ERRORS))}${field('Message', PLANTED)}</Error></ErrorResponse>`;
  const expiration = random.chance(0.7) ? '2027-01-15T08:00:00Z' : random.pick(values);
  const fields = [
    field('AccessKeyId', 'ASIA'),
    field('SecretAccessKey', PLANTED),
    field('SessionToken', PLANTED),
    field('Expiration', expiration),
  ];
  const name = 'AssumeRoleWithWebIdentity';
  const doctype = random.chance(0.03) ? '<!DOCTYPE x [<!ENTITY lol "lollollol">]>' : '';
  return `${doctype}<${name}Response><${name}Result><Credentials>${fields.join('')}</Credentials></${name}Result></${name}Response>`;
}

async function judge(
  call: ReturnType<ReturnType<typeof createFederation>['credentials']>,
  sent: () => string,
): Promise<void> {
  try {
    const { accessKeyId, secretAccessKey, sessionToken, expiresAt, lifetimeMs } = await call;
    for (const text of [accessKeyId, secretAccessKey, sessionToken])
      if (typeof text !== 'string' || text === '')
        throw new Failure('credentials that are no texts', sent(), JSON.stringify(text));
    if (!Number.isFinite(lifetimeMs) || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(timeOf(expiresAt)))
      throw new Failure('credentials that end at no time', sent(), String(expiresAt));
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (error instanceof StaleIdToken) return;
    if (!(error instanceof CcwbError) || !error.code.startsWith('ERR_AWS_'))
      throw new Failure(
        'not an error of AWS',
        sent(),
        error instanceof Error ? `${error.stack}` : String(error),
      );
    const lines = errorLines('x', error);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    const printable = /^[^\x00-\x1f\x7f]{1,600}\n[^\x00-\x1f\x7f]{1,600}\n$/.test(lines);
    if (!printable || lines.includes(PLANTED))
      throw new Failure('an error that quotes a reply', sent(), lines);
  }
}

function timeOf(epochMs: number): string {
  try {
    return rfc3339(epochMs);
  } catch {
    return 'no time';
  }
}
