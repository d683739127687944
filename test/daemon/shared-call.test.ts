import t from 'tap';
import { createSharedCall } from '../../daemon/shared-call.ts';
import { gate, rejection } from '../../tools/support/daemon-edges.ts';

t.test('concurrent callers share one call, and the next caller starts another', async (t) => {
  let calls = 0;
  const first = gate();
  const call = createSharedCall(async () => {
    calls += 1;
    await first.promise;
    return calls;
  });
  const shared = [call(), call(), call()];
  first.open();
  t.same(await Promise.all(shared), [1, 1, 1]);
  t.equal(await call(), 2);
});

t.test('a failure is shared but not kept', async (t) => {
  let calls = 0;
  const call = createSharedCall(async () => {
    calls += 1;
    if (calls === 1) throw new Error('once');
    return calls;
  });
  const [one, two] = await Promise.all([rejection(call()), rejection(call())]);
  t.equal(one, two);
  t.equal(await call(), 2);
});

t.test('settling waits for the call in progress, after a success or a failure', async (t) => {
  const answer = gate();
  const call = createSharedCall(() => answer.promise);
  await call.settled();
  const caller = rejection(call());
  let quiet = false;
  const settling = call.settled().then(() => {
    quiet = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(quiet, false);
  answer.fail(new Error('failed'));
  await settling;
  t.match(await caller, { message: 'failed' });
});
