import { createRequire } from 'node:module';
import t from 'tap';
import { synthesize } from '../../infra/app.ts';
import { STACKS } from '../../infra/outputs.ts';
import { COGNITO, DIRECT, PROVIDER_TYPES, profileOf } from './fixtures/profiles.ts';

/** CloudFormation's limit for a template sent with the request instead of uploaded first. */
const TEMPLATE_MAX_BYTES = 51_200;

type Validator = {
  CompositeEngine: new () => {
    validateTemplate(
      template: object,
      options: { detailLevel: 'STANDARD'; severityLevel: 'WARN' },
    ): { diagnostics: { message: string }[] };
  };
  TemplateContent: new (text: string) => object;
};

// The validator comes inside aws-cdk-lib.
const fromCdk = createRequire(createRequire(import.meta.url).resolve('aws-cdk-lib/package.json'));
const { CompositeEngine, TemplateContent } = fromCdk('@aws/cloudformation-validate') as Validator;
const engine = new CompositeEngine();

function complaints(template: unknown): string[] {
  const content = new TemplateContent(JSON.stringify(template));
  const { diagnostics } = engine.validateTemplate(content, {
    detailLevel: 'STANDARD',
    severityLevel: 'WARN',
  });
  return diagnostics.map(({ message }) => message);
}

t.test('every template of every configuration is valid, small and needs no bootstrap', async (t) => {
  for (const stack of STACKS) {
    for (const type of PROVIDER_TYPES) {
      for (const federation of [COGNITO, DIRECT]) {
        const bedrock = { regions: ['eu-central-1'], globalInference: true };
        const template = synthesize(stack, profileOf(type, federation, { bedrock }), t.testdir());
        const label = `${stack} ${type} ${federation.type}`;
        t.strictSame(complaints(template), [], label);
        t.ok(Buffer.byteLength(JSON.stringify(template, undefined, 2)) < TEMPLATE_MAX_BYTES, label);
        t.strictSame(Object.keys(template).sort(), ['Description', 'Outputs', 'Resources'], label);
      }
    }
  }
});

t.test('the validator would notice a wrong template', async (t) => {
  const pool = { Type: 'AWS::Cognito::IdentityPool', Properties: { AllowClassicFlow: 'perhaps' } };
  t.not(complaints({ Resources: { Pool: pool } }).length, 0);
});

t.test('the same profile gives the same template', async (t) => {
  const profile = profileOf('okta', COGNITO);
  t.strictSame(synthesize('auth', profile, t.testdir()), synthesize('auth', profile, t.testdir()));
});
