import { spawnSync } from 'node:child_process';
import t from 'tap';
import {
  deploymentName,
  logGroupName,
  metricNamespace,
  STACK_INPUTS,
  STACKS,
  stackInputs,
  stackName,
  stacksOf,
} from '../../infra/outputs.ts';
import { COGNITO, profileOf } from './fixtures/profiles.ts';

t.test('names derive from the profile', async (t) => {
  t.strictSame(STACKS, ['auth']);
  t.equal(stackName('ClaudeCode', 'auth'), 'ccwb-ClaudeCode-auth');
  t.equal(deploymentName('ClaudeCode'), 'ccwb-ClaudeCode');
  t.equal(metricNamespace('ClaudeCode'), 'ClaudeCode/ClaudeCode');
  t.equal(logGroupName('ClaudeCode', 'metrics'), '/aws/claude-code/ClaudeCode/metrics');
  t.equal(logGroupName('ClaudeCode', 'events'), '/aws/claude-code/ClaudeCode/events');
});

t.test('sign-in alone needs one stack', async (t) => {
  t.strictSame(stacksOf(profileOf('okta', COGNITO)), ['auth']);
});

t.test('a stack takes only what one before it gives', async (t) => {
  for (const stack of STACKS) {
    for (const [parameter, from] of Object.entries(STACK_INPUTS[stack])) {
      t.ok(STACKS.indexOf(from.stack) < STACKS.indexOf(stack), `${stack} ${parameter}`);
    }
    t.strictSame(stackInputs('auth', profileOf('okta', COGNITO)), {});
  }
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
