import t from 'tap';
import { seededRandom } from '../../../tools/support/random.ts';
import { anyProfile } from './fixtures/any-profile.ts';
import { scriptedPrompter } from './fixtures/scripted-prompter.ts';
import { wizard } from './fixtures/wizard.ts';

/** `CCWB_INIT_CASES` and `CCWB_INIT_SEED` make a longer run, or another. */
const CASES = Number(process.env.CCWB_INIT_CASES ?? 40);
const SEED = Number(process.env.CCWB_INIT_SEED ?? 6);
t.setTimeout(60_000 + CASES * 2_000);

t.test('a wizard with defaults alone leaves the profile the same, byte for byte', async (t) => {
  const random = seededRandom(SEED);
  for (let count = 1; count <= CASES; count += 1) {
    const before = anyProfile(random);
    const { init, text } = wizard(t, { ClaudeCode: before });
    const same = (): boolean => text() === `${JSON.stringify(before, undefined, 2)}\n`;
    const unattended = await init(['--yes']);
    const unattendedSame = unattended.status === 0 && same();
    const prompter = scriptedPrompter();
    const attended = await init([], { prompter });
    if (unattendedSame && attended.status === 0 && same()) continue;
    t.fail(`case ${count} of seed ${SEED}`, {
      before,
      after: text(),
      unattended,
      attended,
      shown: prompter.shown(),
    });
    return;
  }
  t.pass(`${CASES} profiles`);
});
