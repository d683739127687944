import t from 'tap';
import { STACKS } from '../../infra/outputs.ts';
import { createChangeSet, finish } from '../../sandbox/cloudformation/change-sets.ts';
import { planExecution } from '../../sandbox/cloudformation/operations.ts';
import { createStacks } from '../../sandbox/cloudformation/stacks.ts';
import { configurations, stacksIn } from './fixtures/configurations.ts';
import { jsonOf, type TemplateJson } from './fixtures/templates.ts';

process.env.CDK_VALIDATION = 'false';

/** Updates a stack from one template to another. @returns its status, with the reason of a failure */
function update(from: TemplateJson, to: TemplateJson): string {
  const stacks = createStacks({ region: 'eu-central-1', nowMs: () => 0 });
  stacks.stepsPerLook = 10_000;
  const run = (template: TemplateJson, kind: 'CREATE' | 'UPDATE'): string => {
    const parameters = new URLSearchParams({
      StackName: 'stack',
      ChangeSetName: `c-${kind}`,
      ChangeSetType: kind,
      TemplateBody: JSON.stringify(template),
      'Capabilities.member.1': 'CAPABILITY_NAMED_IAM',
    });
    Object.keys(template.Parameters ?? {}).forEach((name, index) => {
      parameters.set(`Parameters.member.${index + 1}.ParameterKey`, name);
      parameters.set(`Parameters.member.${index + 1}.ParameterValue`, `the-${name}`);
    });
    const { Id } = createChangeSet(parameters, stacks);
    const [stack] = stacks.all;
    const changeSet = stack?.changeSets.get(String(Id));
    if (!stack || !changeSet) return 'no change set';
    finish(stacks, stack, changeSet);
    if (changeSet.reason !== undefined) {
      return `${changeSet.reason} ${changeSet.failedChecks.map(({ logicalId, reason }) => `${logicalId}: ${reason}`)}`;
    }
    planExecution(stacks, stack, changeSet);
    stacks.begin(stack, null);
    stacks.look(stack);
    const failed = stack.events.find(({ status }) => status.endsWith('_FAILED'));
    return failed ? `${stack.status}: ${failed.logicalId}: ${failed.reason}` : stack.status;
  };
  const created = run(from, 'CREATE');
  return created === 'CREATE_COMPLETE' ? run(to, 'UPDATE') : created;
}

t.test('every configuration can be updated to every other one and back', async (t) => {
  const looked = new Set<string>();
  const distinct = new Map(STACKS.map((stack) => [stack, new Map<string, string>()]));
  for (const configuration of configurations()) {
    const { monitoring, ...rest } = configuration.profile;
    for (const { stack, label } of stacksIn(configuration)) {
      const key = JSON.stringify([
        stack,
        stack === 'auth' ? [rest, !!monitoring] : [monitoring, rest.identityProvider],
      ]);
      if (looked.has(key)) continue;
      looked.add(key);
      const { Description: _, ...template } = jsonOf(t, stack, configuration.profile);
      distinct.get(stack)?.set(JSON.stringify(template), label);
    }
  }
  const failed: string[] = [];
  let pairs = 0;
  for (const templates of distinct.values()) {
    for (const [from, one] of templates) {
      for (const [to, other] of templates) {
        if (from === to) continue;
        pairs += 1;
        const end = update(JSON.parse(from) as TemplateJson, JSON.parse(to) as TemplateJson);
        if (end !== 'UPDATE_COMPLETE') failed.push(`${one} -> ${other}: ${end}`);
      }
    }
  }
  t.comment(`${pairs} updates`);
  t.ok(pairs > 2_000, `${pairs} updates`);
  t.strictSame(failed, []);
});
