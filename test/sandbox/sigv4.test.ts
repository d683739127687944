import t from 'tap';
import { canonicalRequest, type SignedRequest, verifySignature } from '../../sandbox/aws/sigv4.ts';

// The credentials, requests and signatures are those of the AWS Signature Version 4 test suite and documentation.
const accessKeyId = 'AKIDEXAMPLE';
const credentials = { secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const date = '20150830T123600Z';
const nowMs = Date.parse('2015-08-30T12:36:00Z');
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function signed(change: {
  readonly signature: string;
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  readonly service?: string;
  readonly region?: string;
  readonly names?: string;
  readonly extra?: Record<string, string[]>;
}): SignedRequest {
  const scope = `20150830/${change.region ?? 'us-east-1'}/${change.service ?? 'service'}/aws4_request`;
  const names = change.names ?? 'host;x-amz-date';
  return {
    method: change.method ?? 'GET',
    target: change.target ?? '/',
    headers: {
      host: [change.host ?? 'example.amazonaws.com'],
      'x-amz-date': [date],
      authorization: [
        `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${change.signature}`,
      ],
      ...change.extra,
    },
    body: new Uint8Array(),
  };
}

const vanilla = '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31';
const options = {
  find: (id: string) => (id === accessKeyId ? credentials : undefined),
  regions: ['us-east-1'],
  service: 'service',
  nowMs,
};

t.test('the published signatures are accepted', async (t) => {
  const vectors: Record<string, SignedRequest> = {
    'get-vanilla': signed({ signature: vanilla }),
    'post-vanilla': signed({
      method: 'POST',
      signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    }),
    'get-vanilla-query-order-key-case': signed({
      target: '/?Param2=value2&Param1=value1',
      signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    }),
  };
  for (const [name, request] of Object.entries(vectors)) {
    t.match(verifySignature(request, options), { ok: true, accessKeyId }, name);
  }
  const listUsers = signed({
    host: 'iam.amazonaws.com',
    service: 'iam',
    target: '/?Action=ListUsers&Version=2010-05-08',
    names: 'content-type;host;x-amz-date',
    extra: { 'content-type': ['application/x-www-form-urlencoded; charset=utf-8'] },
    signature: '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  });
  t.match(verifySignature(listUsers, { ...options, service: 'iam' }), { ok: true }, 'ListUsers');
});

t.test('every difference is told apart', async (t) => {
  const problem = (request: SignedRequest, changed: Partial<typeof options> & { windowMs?: number } = {}) => {
    const verdict = verifySignature(request, { ...options, ...changed });
    return verdict.ok ? 'none' : verdict.problem;
  };
  const good = signed({ signature: vanilla });
  t.equal(problem({ ...good, headers: { ...good.headers, authorization: undefined } }), 'missing');
  t.equal(problem({ ...good, headers: { ...good.headers, authorization: ['Bearer abc'] } }), 'incomplete');
  t.equal(problem(signed({ signature: vanilla, names: 'host' })), 'incomplete');
  t.equal(problem(good, { find: () => undefined }), 'unknown-key');
  t.equal(problem(good, { service: 'sts' }), 'wrong-scope');
  t.equal(problem(good, { regions: ['eu-west-1'] }), 'wrong-scope');
  t.equal(problem({ ...good, target: '/other' }), 'mismatch');
  t.equal(problem({ ...good, body: Buffer.from('x') }), 'mismatch');
  t.equal(problem(signed({ signature: vanilla, host: 'other.amazonaws.com' })), 'mismatch');
  t.equal(problem(signed({ signature: vanilla.replace('5', '6') })), 'mismatch');

  const minute = 60_000;
  t.equal(problem(good, { nowMs: nowMs + 15 * minute }), 'none');
  t.equal(problem(good, { nowMs: nowMs + 15 * minute + 1000 }), 'skewed');
  t.equal(problem(good, { nowMs: nowMs - 15 * minute - 1000 }), 'skewed');
  t.equal(problem(good, { nowMs: nowMs + 6 * minute, windowMs: 5 * minute }), 'skewed');
});

t.test('session tokens must be there, right, signed and alive', async (t) => {
  const session = { ...credentials, sessionToken: 'the-token', expiresAtMs: nowMs + 1000 };
  const problem = (request: SignedRequest, atMs = nowMs) => {
    const verdict = verifySignature(request, { ...options, find: () => session, nowMs: atMs });
    return verdict.ok ? 'none' : verdict.problem;
  };
  const token = (value: string) => ({ 'x-amz-security-token': [value] });
  t.equal(problem(signed({ signature: vanilla })), 'wrong-token');
  t.equal(problem(signed({ signature: vanilla, extra: token('another') })), 'wrong-token');
  t.equal(problem(signed({ signature: vanilla, extra: token('the-token') })), 'incomplete');
  t.equal(problem(signed({ signature: vanilla, extra: token('the-token') }), nowMs + 1000), 'expired-token');
});

t.test('the canonical request follows the documentation', async (t) => {
  const request = signed({
    signature: vanilla,
    target: "/model/a%3A0/./x/../invoke?b=2&a=%C3%A9!'&a=",
    extra: { 'my-header': ['  a   b  ', 'c'] },
  });
  t.same(canonicalRequest(request, ['host', 'my-header'], emptyHash).split('\n'), [
    'GET',
    '/model/a%253A0/invoke',
    'a=&a=%C3%A9%21%27&b=2',
    'host:example.amazonaws.com',
    'my-header:a b,c',
    '',
    'host;my-header',
    emptyHash,
  ]);
});
