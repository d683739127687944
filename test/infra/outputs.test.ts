import { spawnSync } from 'node:child_process';
import t from 'tap';
import {
  ANALYTICS_OUTPUTS,
  AUTH_OUTPUTS,
  DASHBOARD_OUTPUTS,
  deploymentName,
  logGroupName,
  MONITORING_OUTPUTS,
  metricNamespace,
  NETWORKING_OUTPUTS,
  STACK_INPUTS,
  STACKS,
  type StackId,
  type StackInput,
  stackInputs,
  stackName,
  stacksOf,
} from '../../infra/outputs.ts';
import { MONITORINGS, monitored } from './fixtures/configurations.ts';
import { COGNITO, profileOf } from './fixtures/profiles.ts';

t.test('names derive from the profile', async (t) => {
  t.strictSame(STACKS, ['auth', 'networking', 'monitoring', 'dashboard', 'analytics']);
  t.equal(stackName('ClaudeCode', 'auth'), 'ccwb-ClaudeCode-auth');
  t.equal(deploymentName('ClaudeCode'), 'ccwb-ClaudeCode');
  t.equal(metricNamespace('ClaudeCode'), 'ClaudeCode/ClaudeCode');
  t.equal(logGroupName('ClaudeCode', 'metrics'), '/aws/claude-code/ClaudeCode/metrics');
  t.equal(logGroupName('ClaudeCode', 'events'), '/aws/claude-code/ClaudeCode/events');
});

t.test('a profile has only the stacks it needs, in the order of deployment', async (t) => {
  const plain = profileOf('okta', COGNITO);
  t.strictSame(stacksOf(plain), ['auth']);
  t.strictSame(stacksOf(monitored(plain, MONITORINGS['new private'])), [
    'auth',
    'networking',
    'monitoring',
    'dashboard',
  ]);
  const analytics = { glacierAfterDays: 90, resultsDays: 7 };
  t.strictSame(stacksOf(monitored(plain, { ...MONITORINGS.existing, analytics })), [
    'auth',
    'monitoring',
    'dashboard',
    'analytics',
  ]);
});

t.test('a stack uses only outputs of earlier stacks', async (t) => {
  const given: Partial<Record<StackId, string[]>> = {
    auth: Object.values(AUTH_OUTPUTS),
    networking: Object.values(NETWORKING_OUTPUTS),
    monitoring: Object.values(MONITORING_OUTPUTS),
    dashboard: Object.values(DASHBOARD_OUTPUTS),
    analytics: Object.values(ANALYTICS_OUTPUTS),
  };
  for (const stack of STACKS) {
    for (const [parameter, from] of Object.entries<StackInput>(STACK_INPUTS[stack])) {
      t.ok(STACKS.indexOf(from.stack) < STACKS.indexOf(stack), `${stack} ${parameter}`);
      t.ok(given[from.stack]?.includes(from.output), `${stack} ${parameter}`);
    }
  }
});

t.test('a stack uses no output of a stack that the profile does not want', async (t) => {
  const plain = profileOf('okta', COGNITO);
  t.strictSame(stackInputs('monitoring', monitored(plain, MONITORINGS.existing)), {});
  t.strictSame(
    stackInputs('monitoring', monitored(plain, MONITORINGS['new public'])),
    STACK_INPUTS.monitoring,
  );
});

t.test('reading the outputs loads no CDK', async (t) => {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const outputs = new URL(`../../infra/outputs.${extension}`, import.meta.url);
  const script = `
    import module from 'node:module';
    await import(${JSON.stringify(outputs.href)});
    process.stdout.write(String(Object.keys(module._cache).filter((path) => path.includes('aws-cdk-lib')).length));
  `;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  t.strictSame({ stdout, status }, { stdout: '0', status: 0 });
});
