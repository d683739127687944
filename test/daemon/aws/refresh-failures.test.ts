import t from 'tap';
import { createRefreshFailures } from '../../../daemon/aws/refresh-failures.ts';
import { TIMING } from '../../../daemon/timing.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import { fakeClock } from '../../../tools/support/daemon-edges.ts';

const passing = new CcwbError('ERR_AWS_UNREACHABLE', 'no answer', 'wait');

function create() {
  const clock = fakeClock();
  return { clock, failures: createRefreshFailures({ clock, random: () => 1 }) };
}

t.test('each failure doubles the back-off up to its ceiling', async (t) => {
  const { clock, failures } = create();
  const waits = Array.from({ length: 7 }, () => failures.add(passing, false));
  t.same(
    waits,
    [1, 2, 4, 8, 16, 30, 30].map((seconds) => seconds * 1_000),
  );
  t.same(failures.problem(), { error: passing, at: clock.now() });
  t.equal(failures.notBefore(), clock.now() + TIMING.backOffSoonMs);
  t.equal(failures.isBackingOff(), true);
  clock.advance(TIMING.backOffSoonMs);
  t.equal(failures.isBackingOff(), false);
});

t.test('a wake-up ends the back-off and keeps the problem', async (t) => {
  const { failures } = create();
  failures.add(passing, false);
  failures.endBackOff();
  t.equal(failures.isBackingOff(), false);
  t.equal(failures.problem()?.error, passing);
  t.equal(failures.add(passing, false), TIMING.backOffFirstMs, 'the next failure is the first of a row');
});

t.test('a success forgets the problem', async (t) => {
  const { failures } = create();
  failures.add(passing, false);
  failures.clear();
  t.equal(failures.isBackingOff(), false);
  t.equal(failures.problem(), undefined);
});
