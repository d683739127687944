import t from 'tap';
import { startOtlpCollector } from '../../sandbox/otlp-collector.ts';
import { setUp } from './support.ts';

const PROTOBUF = { 'content-type': 'application/x-protobuf' };

t.test('exports are taken as the specification of OTLP has it', async (t) => {
  const collector = await startOtlpCollector();
  t.teardown(() => collector.close());
  const post = async (path: string, init: RequestInit) => (await fetch(collector.url + path, init)).status;
  t.equal(await post('/v1/metrics', { method: 'POST', headers: PROTOBUF }), 200);
  t.equal(await post('/v1/logs', { method: 'POST', headers: PROTOBUF }), 200);
  t.equal(await post('/v1/logs', { method: 'GET' }), 405);
  t.equal(await post('/v1/logs', { method: 'POST', body: 'text' }), 415);
  t.equal(await post('/v1/unknown', { method: 'POST', headers: PROTOBUF }), 404);
  t.equal(collector.exports.length, 5);
});

t.test('behind a load balancer that checks tokens only those of its issuers pass', async (t) => {
  const { sandbox, idToken } = await setUp(t);
  const { provider } = sandbox;
  const trusted = { issuer: provider.issuer, jwks: provider.jwks };
  for (const [issuers, audience, expected] of [
    [[trusted], provider.clientId, 200],
    [[trusted], 'another-client', 401],
    [[], provider.clientId, 401],
  ] as const) {
    const collector = await startOtlpCollector({ trust: { issuers, audience } });
    t.teardown(() => collector.close());
    const url = `${collector.url}/v1/metrics`;
    const post = async (headers: Record<string, string>) =>
      (await fetch(url, { method: 'POST', headers: { ...PROTOBUF, ...headers } })).status;
    t.equal(await post({ authorization: `Bearer ${idToken}` }), expected);
    t.equal(await post({}), 401);
    t.equal(await post({ authorization: 'Bearer a.b.c' }), 401);
  }
});
