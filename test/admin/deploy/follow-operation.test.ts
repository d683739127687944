import t from 'tap';
import type { StackEvent } from '../../../admin/aws/cloudformation-types.ts';
import { eventsAfter } from '../../../admin/aws/events-after.ts';
import { deployStack } from '../../../admin/deploy/deploy-stack.ts';
import { firstFailure, lastOperation } from '../../../admin/deploy/operation-end.ts';
import { removeStack } from '../../../admin/deploy/remove-stack.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import { createStacks } from '../../../sandbox/cloudformation/stacks.ts';
import { seededRandom } from '../../../tools/support/random.ts';
import { adminEdges } from '../fixtures/admin-edges.ts';
import { createLateCloud } from '../fixtures/late-cloud.ts';

const NAME = 'ccwb-Test-auth';
const TARGET = { partition: 'aws', account: '123456789012', region: 'us-east-1' };

/** Deploys and destroys one stack until that many operations are requested. @returns the wrong verdicts. */
async function simulate(count: number, seed: number, named: boolean): Promise<string[]> {
  const random = seededRandom(seed).next;
  let now = Date.parse('2026-01-02T03:04:05Z');
  const wait = (ms: number): void => {
    now += ms;
  };
  const stacks = createStacks({ region: 'us-east-1', nowMs: () => now });
  stacks.lag = { maxMs: 3_000, random };
  stacks.pace = () => Math.floor(random() * 2_000);
  const edges = {
    ...adminEdges(),
    now: () => now,
    random,
    sleep: async (ms: number) => wait(Math.round(ms)),
  };
  const cloud = createLateCloud(stacks, wait, named);
  const options = { yes: true, allowReplacement: true, dryRun: false, configOutputs: [] };
  const wrong: string[] = [];
  for (let version = 1; cloud.requests() < count; version += 1) {
    // Without names, what is requested within the lag of the operation before cannot be told from it.
    wait(Math.floor((named ? 0 : 3_000) + random() * 10_000));
    stacks.failing.clear();
    const when = (['create', 'update', 'rollback', 'delete'] as const)[Math.floor(random() * 8)];
    if (when) stacks.failing.set('Topic', { when, reason: `${when} ${version}` });
    const before = stacks.find(NAME);
    const remove = random() < 0.3;
    const told = await (remove ? destroyOnce() : deployOnce(version));
    const stack = stacks.find(before?.id ?? NAME) ?? before;
    const latest = stacks.find(NAME);
    const real = remove || latest === undefined ? (stack?.status ?? 'none') : latest.status;
    const busy = stacks.all.some(({ steps }) => steps.length > 0);
    const is = `${real}${busy ? ' and at work' : ''}`;
    if (told !== is) wrong.push(`${version}: told ${told}, is ${is}`);
  }
  return wrong;

  async function destroyOnce(): Promise<string> {
    const state = await cloud.describeStack(NAME);
    if (state === undefined) return stacks.find(NAME)?.status ?? 'none';
    return removeStack(state, { cloud, edges }).then(() => 'DELETE_COMPLETE', statusIn);
  }

  async function deployOnce(version: number): Promise<string> {
    const template = {
      Resources: { Topic: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: `v${version}` } } },
      Outputs: { Version: { Value: `v${version}` } },
    };
    const plan = { id: 'auth', name: NAME, template, parameters: {} } as const;
    try {
      const { result, outputs } = await deployStack(plan, new Map(), {
        cloud,
        edges,
        target: TARGET,
        options,
      });
      const status = result === 'created' ? 'CREATE_COMPLETE' : 'UPDATE_COMPLETE';
      return outputs.Version === `v${version}` ? status : `${status} with outputs ${outputs.Version}`;
    } catch (thrown) {
      // A status read late: AWS refuses the change set, and nothing happens.
      if (thrown instanceof CcwbError && thrown.code === 'ERR_TEMPLATE_INVALID')
        return stacks.find(NAME)?.status ?? '';
      const failing = stacks.failing.get('Topic')?.reason ?? 'nothing fails';
      return String(thrown).includes(failing) ? statusIn(thrown) : `other reason: ${thrown}`;
    }
  }
}

/** The status that an error of a failed operation names. */
function statusIn(thrown: unknown): string {
  const text = String(thrown);
  if (text.includes('failed again')) return 'UPDATE_ROLLBACK_FAILED';
  return /\(([A-Z_]+)\)/.exec(text)?.[1] ?? text;
}

t.test('5,000 operations whose reads are late are all told as they ended', async (t) => {
  t.strictSame(await simulate(5_000, 1, true), []);
});

t.test('the same where neither events nor stacks name the operation', async (t) => {
  t.strictSame(await simulate(1_000, 2, false), []);
});

const event = (id: string, status: string, ofStack = true): StackEvent => ({
  id,
  at: Number(id),
  logicalId: ofStack ? NAME : 'Topic',
  type: '',
  status,
  reason: undefined,
  ofStack,
  token: undefined,
  operation: undefined,
});

async function* pagesOf(...pages: StackEvent[][]): AsyncGenerator<StackEvent[]> {
  yield* pages;
}

t.test('a read that does not have the last known event yet has nothing new', async (t) => {
  const [one, two, three] = [
    event('1', 'CREATE_COMPLETE'),
    event('2', 'UPDATE_IN_PROGRESS'),
    event('3', 'UPDATE_COMPLETE'),
  ];
  t.strictSame(await eventsAfter(pagesOf([three, two], [one]), two), [three]);
  t.strictSame(await eventsAfter(pagesOf([two, one]), three), []);
  t.strictSame(await eventsAfter(pagesOf([three], [two], [one]), undefined), [one, two, three]);
});

t.test('the reason of a failed state is that of the last operation, not of one long ago', async (t) => {
  const events = [
    event('1', 'UPDATE_IN_PROGRESS'),
    event('2', 'UPDATE_FAILED', false),
    event('3', 'UPDATE_ROLLBACK_COMPLETE'),
    event('4', 'UPDATE_IN_PROGRESS'),
    event('5', 'UPDATE_FAILED', false),
    event('6', 'UPDATE_ROLLBACK_FAILED'),
  ];
  t.equal(firstFailure(lastOperation(events))?.id, '5');
});
