import ajvModule, { type ValidateFunction } from 'ajv';
import t from 'tap';
import { REPLY_SCHEMAS, REQUEST_SCHEMAS, ROUTES, type RouteName, rfc3339 } from '../../protocol/api.ts';
import { ERRORS } from '../../protocol/error-codes.ts';
import { loginRequired } from '../../protocol/errors.ts';

const ajv = new ajvModule.default({ strict: true, allowUnionTypes: true, allErrors: true });

const VERSION = { protocol: 1, build: '0.1.0', pid: 7, startedAt: '2026-01-02T03:04:05Z' };
const PROFILE = {
  profile: 'ClaudeCode',
  issuer: 'https://company.okta.com',
  state: 'signed-in',
  user: 'ada@example.com',
  storage: 'keyring',
  federation: 'us-east-1:1',
  credentialsUntil: '2026-01-02T04:04:05Z',
  nextRefresh: '2026-01-02T03:39:05Z',
  idTokenUntil: null,
  problem: null,
};
const _PROBLEM = { code: 'ERR_CONFIG_INVALID', message: 'm', fix: 'f', at: '2026-01-02T03:04:05Z' };
const PENDING = {
  state: 'pending',
  signIn: 'id',
  url: 'https://company.okta.com/authorize',
  openPage: true,
  expiresAt: '2026-01-02T03:09:05Z',
};

const BY_CODE = {
  ...PENDING,
  url: 'https://company.okta.com/activate',
  device: { userCode: 'WDJB-MJHT', verificationUriComplete: null },
  openPage: false,
};

/** A body of each reply that must validate. */
const EXAMPLES: Record<RouteName | 'error', unknown[]> = {
  error: [loginRequired().toBody()],
  version: [VERSION],
  drain: [{ state: 'ending' }, { state: 'signing-in' }],
  status: [
    {
      daemon: VERSION,
      clockSkewSeconds: 0,
      network: { proxy: null, certificates: [] },
      config: '/home/ada/config.json',
      configProblem: null,
      profiles: [],
    },
    {
      daemon: VERSION,
      clockSkewSeconds: -3,
      network: { proxy: null, certificates: ['/etc/ssl/certs/ca-certificates.crt'] },
      config: '/home/ada/config.json',
      configProblem: { code: 'ERR_CONFIG_MISSING', message: 'm', fix: 'f', at: '2026-01-02T03:04:05Z' },
      profiles: [
        PROFILE,
        {
          ...PROFILE,
          state: 'misconfigured',
          problem: { code: 'ERR_CONFIG_INVALID', message: 'm', fix: 'f', at: '2026-01-02T03:04:05Z' },
        },
      ],
    },
  ],
  credentials: [
    {
      Version: 1,
      AccessKeyId: 'ASIA',
      SecretAccessKey: 's',
      SessionToken: 't',
      Expiration: '2026-01-02T03:04:05Z',
    },
  ],
  forgetCredentials: [{ forgotten: true }],
  expiration: [
    { valid: true, expiration: '2026-01-02T03:04:05Z' },
    { valid: false, expiration: null },
  ],
  idToken: [{ idToken: 'jwt', expiration: '2026-01-02T03:04:05Z' }],
  otelHeaders: [{}, { 'x-user-email': 'ada@example.com' }],
  signIn: [PENDING, { state: 'signed-in', user: null }, { state: 'signed-in', user: 'ada' }],
  awaitSignIn: [PENDING, BY_CODE],
  pageOpened: [{ noted: false }],
  signOut: [{ wasSignedIn: true, revoked: false }],
};

t.test('every route has a method, a versioned path and a reply', async (t) => {
  const seen = new Set<string>();
  for (const [name, { method, path }] of Object.entries(ROUTES)) {
    t.match(path, /^\/v1\/[a-z:/-]+$/i, name);
    t.match(method, /^(GET|POST|DELETE)$/);
    t.ok(REPLY_SCHEMAS[name as RouteName], `${name} has a reply`);
    seen.add(`${method} ${path}`);
  }
  t.equal(seen.size, Object.keys(ROUTES).length, 'no two are the same');
  t.same(Object.keys(REPLY_SCHEMAS).sort(), ['error', ...Object.keys(ROUTES)].sort());
});

t.test('every reply\u2019s schema compiles and takes its examples', async (t) => {
  for (const [name, examples] of Object.entries(EXAMPLES)) {
    const validate = ajv.compile(REPLY_SCHEMAS[name as RouteName]);
    for (const example of examples) {
      t.ok(validate(example), name, { errors: validate.errors ?? [] });
      if (name === 'otelHeaders') continue;
      t.notOk(validate({ ...(example as object), refreshToken: 'x' }), `${name} takes no other field`);
    }
    t.notOk(validate(null), `${name} is an object`);
  }
  t.notOk(ajv.compile(REPLY_SCHEMAS.otelHeaders)({ 'x-user-id': 7 }), 'headers are texts');
});

t.test('a reply without one of its fields does not validate', async (t) => {
  for (const name of ['version', 'credentials', 'idToken', 'expiration', 'signOut', 'error'] as const) {
    const validate = ajv.compile(REPLY_SCHEMAS[name]);
    for (const example of EXAMPLES[name]) {
      for (const field of Object.keys(example as object)) {
        const { [field]: _, ...rest } = example as Record<string, unknown>;
        t.notOk(validate(rest), `${name} needs ${field}`);
      }
    }
  }
});

t.test('request schemas accept the requests of shims and reject all others', async (t) => {
  const accepts = (validate: ValidateFunction, good: unknown[], bad: unknown[]) => {
    for (const value of good) t.ok(validate(value), JSON.stringify(value));
    for (const value of bad) t.notOk(validate(value), JSON.stringify(value));
  };
  accepts(
    ajv.compile(REQUEST_SCHEMAS.profileParams),
    [{ profile: 'ClaudeCode' }, { profile: 'x'.repeat(64) }],
    [{}, { profile: '' }, { profile: 'x'.repeat(65) }, { profile: 'x', other: 1 }, { profile: 7 }],
  );
  accepts(
    ajv.compile(REQUEST_SCHEMAS.signInParams),
    [{ signIn: '11111111-2222-3333-4444-555555555555' }],
    [{ signIn: '' }, { signIn: 'x'.repeat(65) }],
  );
  accepts(
    ajv.compile(REQUEST_SCHEMAS.signInBody),
    [
      { automatic: true, canOpenPage: false },
      { automatic: true, canOpenPage: false, screen: false },
      { automatic: false, canOpenPage: false, device: true },
    ],
    [
      {},
      { automatic: true },
      { automatic: 1, canOpenPage: 0 },
      { automatic: true, canOpenPage: true, x: 1 },
      { automatic: true, canOpenPage: true, device: 'yes' },
    ],
  );
  accepts(ajv.compile(REQUEST_SCHEMAS.pageOpenedBody), [{ opened: true }], [{}, { opened: 'yes' }]);
  accepts(
    ajv.compile(REQUEST_SCHEMAS.waitQuery),
    [{}, { wait: '0' }, { wait: '9' }, { wait: '59999' }, { wait: '60000', canOpenPage: 'true' }],
    [
      ...['60001', '60010', '99999', '100000', '-1', '0.5', '1e3', '05', '', ' 5', 5].map((wait) => ({
        wait,
      })),
      ...['', 'yes', '1', true].map((canOpenPage) => ({ canOpenPage })),
      { other: '1' },
    ],
  );
});

t.test('errors of every code fit the error reply', async (t) => {
  const validate = ajv.compile(REPLY_SCHEMAS.error);
  for (const code of Object.keys(ERRORS)) t.ok(validate({ error: { code, message: 'm', fix: 'f' } }));
});

t.test('times are RFC 3339 in UTC with whole seconds, never later than meant', async (t) => {
  const cases: [number, string][] = [
    [Date.UTC(2026, 0, 2, 3, 4, 5), '2026-01-02T03:04:05Z'],
    [Date.UTC(2026, 0, 2, 3, 4, 5, 999), '2026-01-02T03:04:05Z'],
    [Date.UTC(2024, 1, 29, 23, 59, 59, 1), '2024-02-29T23:59:59Z'],
    [0, '1970-01-01T00:00:00Z'],
  ];
  for (const [epochMs, text] of cases) {
    t.equal(rfc3339(epochMs), text);
    t.ok(Date.parse(text) <= epochMs);
  }
});
